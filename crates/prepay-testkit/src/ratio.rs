//! Times two operations in one run and reports their ratio.
//!
//! The two take turns, so that changes of clock speed or load affect both. Each result is the input of the next call,
//! so the processor cannot overlap calls and the figure is the latency of one. Only benchmarks use this; no test
//! depends on time.

use std::hint::black_box;
use std::time::Instant;

/// The `main` of a benchmark: the groups of Criterion, which must be a dependency, and then the ratios.
#[macro_export]
macro_rules! bench_main {
    ($benches:ident, $ratios:ident) => {
        fn main() {
            $benches();
            criterion::Criterion::default().configure_from_args().final_summary();
            // Without this flag Cargo is testing that the benchmark runs, not measuring.
            if std::env::args().any(|argument| argument == "--bench") {
                $ratios();
            }
        }
    };
}

/// Timed chains on each side; odd, so that one of them is the median.
const CHAINS: usize = 101;

/// Calls in one timed chain.
const CALLS: u64 = 2_000;

/// The median time of one call on each side, in picoseconds.
#[derive(Clone, Copy, Debug)]
pub struct Ratio {
    /// The operation under test.
    pub ours: u128,
    /// The operation to compare it with.
    pub theirs: u128,
}

impl Ratio {
    /// Times both sides. Each call takes the result of the previous one on its side, the first a seed.
    pub fn measure(ours: impl FnMut(u64) -> u64, theirs: impl FnMut(u64) -> u64) -> Self {
        Self::measure_calls(CALLS, ours, theirs)
    }

    /// As [`measure`](Self::measure), with a given number of calls in a chain.
    pub fn measure_calls(
        calls: u64,
        mut ours: impl FnMut(u64) -> u64,
        mut theirs: impl FnMut(u64) -> u64,
    ) -> Self {
        let (mut a, mut b) = ([0; CHAINS], [0; CHAINS]);
        for turn in 0..CHAINS {
            a[turn] = chain(calls, &mut ours);
            b[turn] = chain(calls, &mut theirs);
        }
        a.sort_unstable();
        b.sort_unstable();
        let a_call = |nanoseconds: u128| 1000 * nanoseconds / u128::from(calls);
        Self { ours: a_call(a[CHAINS / 2]), theirs: a_call(b[CHAINS / 2]) }
    }

    /// Prints the ratio, both sides, and the limit of the ratio, in thousandths.
    pub fn print(self, name: &str, bar: Option<u32>) {
        let Self { ours, theirs } = self;
        let decimal =
            |thousandths: u128| format!("{}.{:03}", thousandths / 1000, thousandths % 1000);
        let bar = bar.map_or_else(String::new, |bar| format!(" (bar {})", decimal(bar.into())));
        let ratio = decimal((1000 * ours).div_ceil(theirs.max(1)));
        let nanoseconds = |picoseconds: u128| (picoseconds + 500) / 1000;
        println!("{name:<58} {ratio}{bar}  {} ns / {} ns", nanoseconds(ours), nanoseconds(theirs));
    }
}

/// The time of one chain, in nanoseconds.
fn chain(calls: u64, operation: &mut dyn FnMut(u64) -> u64) -> u128 {
    let mut value = black_box(0x0559_9863_0001_19E6);
    let start = Instant::now();
    for _ in 0..calls {
        value = operation(value);
    }
    black_box(value);
    start.elapsed().as_nanos()
}
