//! How much memory a meter takes: the numbers that firmware plans with.

use prepay_meter::{Meter, MeterState};

#[test]
fn a_meter_with_fifty_identifiers_fits_in_a_kibibyte_with_all_it_holds() {
    let state = size_of::<MeterState<50, 12, 1>>();
    let meter = size_of::<Meter>();
    println!("state {state}, meter {meter}, record {}", Meter::<50, 12, 1>::RECORD_LENGTH);
    assert!(state <= 640, "state: {state} bytes");
    assert!(meter <= 1024, "meter: {meter} bytes");
}
