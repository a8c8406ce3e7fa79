#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::named("utf8_versus_std")(data));
