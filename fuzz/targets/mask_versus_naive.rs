#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::named("mask_versus_naive")(data));
