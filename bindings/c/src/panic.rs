//! On bare metal a panic calls a function of the firmware that does not return.
//!
//! The engine commits its state in one piece, so the right reaction to a panic is a restart. The message is
//! dropped: formatting it would take more flash than the engine.
//!
//! `--cfg freestanding` builds the same for a hosted system, to show that nothing needs it.
//!
//! Elsewhere: hosted systems link `std`, whose handler prints the message; a panic that reaches the edge
//! of this library aborts the process there.

#[cfg(any(freestanding, all(target_os = "none", feature = "panic-handler")))]
mod bare {
    use core::panic::PanicInfo;

    unsafe extern "C" {
        /// Supplied by the firmware; resets the device.
        fn prepay_meter_panicked() -> !;
    }

    #[panic_handler]
    fn panic(_: &PanicInfo<'_>) -> ! {
        // SAFETY: the header requires the firmware to supply this function, without arguments and never
        // returning.
        unsafe { prepay_meter_panicked() }
    }
}
