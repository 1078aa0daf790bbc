#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| checks::block_files::check(input));
