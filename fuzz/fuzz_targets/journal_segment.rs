#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| checks::journal_segment::check(input));
