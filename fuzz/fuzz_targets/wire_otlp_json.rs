#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| checks::wire_otlp_json::check(input));
