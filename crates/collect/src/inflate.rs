//! Decompression that stops at a limit: no body, however it was made, costs more memory than it may.

use std::io;

use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};

use crate::request::{Encoding, Refusal};

/// The largest zstd window accepted, as a power of two: 8 MiB, which RFC 9659 makes the bound for `Content-Encoding: zstd`.
/// Every level up to 19 stays within it.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;

/// The least that a buffer grows by. Small enough for a pool of buffers, large enough that a request of 1,000 spans grows once.
const GROWTH_MIN: usize = 64 << 10;

/// How much larger a body of unknown size is expected to become. OTLP shrinks six- to tenfold (reference/limits.md).
const RATIO_EXPECTED: usize = 8;

/// What `body` will probably inflate to, in bytes, for reserving memory and choosing where to decode.
///
/// Taken from the body's own words where it says, which are not to be trusted; never above `limit`.
pub(crate) fn expected_size(encoding: Encoding, body: &[u8], limit: usize) -> usize {
    let stated = match encoding {
        Encoding::Identity => Some(body.len()),
        // The last four bytes of a gzip member are its size modulo 2^32.
        Encoding::Gzip => body
            .last_chunk::<4>()
            .map(|size| u32::from_le_bytes(*size) as usize),
        Encoding::Zstd => zstd::zstd_safe::get_frame_content_size(body)
            .ok()
            .flatten()
            .map(|size| usize::try_from(size).unwrap_or(usize::MAX)),
        Encoding::Deflate => None,
    };
    stated
        .unwrap_or(body.len().saturating_mul(RATIO_EXPECTED))
        .clamp(body.len().min(limit), limit)
}

/// Replaces the content of `out` by `body` decompressed. `out` never grows past `limit`, rounded up by one byte that tells
/// that there was more.
///
/// Several members or frames in a row are one body, as gzip and zstd define it. Not for [`Encoding::Identity`], whose body
/// needs no copy.
///
/// # Errors
/// [`Refusal::TooLarge`] past `limit`, [`Refusal::Malformed`] for bytes that do not inflate to their end.
pub fn inflate(
    encoding: Encoding,
    body: &[u8],
    limit: usize,
    out: &mut Vec<u8>,
) -> Result<(), Refusal> {
    out.clear();
    let expected = expected_size(encoding, body, limit);
    // One byte more lets a decoder see the end without growing the buffer again.
    out.reserve((expected + 1).min(limit + 1));
    match encoding {
        Encoding::Identity => out.extend_from_slice(body),
        Encoding::Gzip => gzip(body, limit, out)?,
        Encoding::Deflate => deflate(body, limit, out)?,
        Encoding::Zstd => zstd(body, limit, out)?,
    }
    if out.len() > limit {
        return Err(too_large(limit));
    }
    Ok(())
}

fn gzip(mut body: &[u8], limit: usize, out: &mut Vec<u8>) -> Result<(), Refusal> {
    /// The largest window that deflate knows.
    const WINDOW_BITS: u8 = 15;
    loop {
        let consumed = zlib_stream("gzip", Decompress::new_gzip(WINDOW_BITS), body, limit, out)?;
        body = &body[consumed..];
        if body.is_empty() {
            return Ok(());
        }
    }
}

fn deflate(body: &[u8], limit: usize, out: &mut Vec<u8>) -> Result<(), Refusal> {
    let is_zlib = match body {
        [method, flags, ..] => {
            method & 0x0f == 8 && (u16::from(*method) << 8 | u16::from(*flags)) % 31 == 0
        }
        _ => false,
    };
    let consumed = zlib_stream("deflate", Decompress::new(is_zlib), body, limit, out)?;
    if consumed < body.len() {
        return Err(malformed("deflate", "bytes follow the end of the stream"));
    }
    Ok(())
}

/// Runs one stream to its end and returns how much of `body` it took.
fn zlib_stream(
    name: &str,
    mut stream: Decompress,
    body: &[u8],
    limit: usize,
    out: &mut Vec<u8>,
) -> Result<usize, Refusal> {
    loop {
        make_room(limit, out)?;
        let consumed = stream.total_in() as usize;
        let produced = out.len();
        let status = stream
            .decompress_vec(&body[consumed..], out, FlushDecompress::None)
            .map_err(|error| malformed(name, error))?;
        if status == Status::StreamEnd {
            return Ok(stream.total_in() as usize);
        }
        let stuck = stream.total_in() as usize == consumed && out.len() == produced;
        if stuck && out.len() < out.capacity() {
            return Err(malformed(name, "the stream is cut off"));
        }
    }
}

fn zstd(body: &[u8], limit: usize, out: &mut Vec<u8>) -> Result<(), Refusal> {
    let unusable = |error: io::Error| malformed("zstd", error);
    let mut decoder = Decoder::new().map_err(unusable)?;
    decoder
        .set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG_MAX))
        .map_err(unusable)?;
    let mut input = InBuffer::around(body);
    loop {
        make_room(limit, out)?;
        let (consumed, produced) = (input.pos(), out.len());
        let mut output = OutBuffer::around_pos(out, produced);
        let hint = decoder.run(&mut input, &mut output).map_err(unusable)?;
        let frame_ended = hint == 0;
        if frame_ended && input.pos() == body.len() {
            return Ok(());
        }
        let stuck = input.pos() == consumed && out.len() == produced;
        if !frame_ended && stuck && out.len() < out.capacity() {
            return Err(malformed("zstd", "the frame is cut off"));
        }
    }
}

/// Gives a full buffer more room, but none past `limit` and its one byte.
fn make_room(limit: usize, out: &mut Vec<u8>) -> Result<(), Refusal> {
    if out.len() > limit {
        return Err(too_large(limit));
    }
    if out.len() == out.capacity() {
        let growth = out.len().max(GROWTH_MIN).min(limit + 1 - out.len());
        out.reserve_exact(growth);
    }
    Ok(())
}

fn too_large(limit: usize) -> Refusal {
    Refusal::TooLarge {
        limit,
        inflated: true,
    }
}

fn malformed(name: &str, error: impl std::fmt::Display) -> Refusal {
    Refusal::Malformed(format!("cannot inflate the {name} body: {error}"))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    const LIMIT: usize = 1 << 20;

    fn gzipped(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// `bytes` in every encoding, with a name.
    fn encoded(bytes: &[u8]) -> Vec<(&'static str, Encoding, Vec<u8>)> {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
        zlib.write_all(bytes).unwrap();
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::fast());
        raw.write_all(bytes).unwrap();
        let mut unsized_zstd = zstd::Encoder::new(Vec::new(), 1).unwrap();
        unsized_zstd.write_all(bytes).unwrap();
        vec![
            ("identity", Encoding::Identity, bytes.to_vec()),
            ("gzip", Encoding::Gzip, gzipped(bytes)),
            ("zlib", Encoding::Deflate, zlib.finish().unwrap()),
            ("raw deflate", Encoding::Deflate, raw.finish().unwrap()),
            (
                "zstd",
                Encoding::Zstd,
                zstd::bulk::compress(bytes, 1).unwrap(),
            ),
            (
                "unsized zstd",
                Encoding::Zstd,
                unsized_zstd.finish().unwrap(),
            ),
        ]
    }

    fn inflated(encoding: Encoding, body: &[u8]) -> Result<Vec<u8>, Refusal> {
        let mut out = Vec::new();
        inflate(encoding, body, LIMIT, &mut out)?;
        assert!(out.capacity() <= 2 * LIMIT, "{}", out.capacity());
        Ok(out)
    }

    #[test]
    fn what_was_compressed_comes_back() {
        for size in [0, 1, 5_000, GROWTH_MIN, 300_000, LIMIT] {
            let bytes: Vec<u8> = (0..size).map(|i| (i * i / 7) as u8).collect();
            for (name, encoding, body) in encoded(&bytes) {
                assert!(inflated(encoding, &body).unwrap() == bytes, "{name} {size}");
            }
        }
    }

    #[test]
    fn one_byte_over_the_limit_is_too_large_and_a_bomb_costs_no_memory() {
        for size in [LIMIT + 1, 100 * LIMIT] {
            for (name, encoding, body) in encoded(&vec![0; size]) {
                let told = inflated(encoding, &body);
                assert_eq!(told, Err(too_large(LIMIT)), "{name} {size}");
            }
        }
    }

    #[test]
    fn a_body_cut_anywhere_is_malformed() {
        let bytes: Vec<u8> = (0..2_000u32).flat_map(u32::to_le_bytes).collect();
        for (name, encoding, body) in encoded(&bytes).into_iter().skip(1) {
            for len in (0..body.len()).step_by(97) {
                let told = inflated(encoding, &body[..len]);
                assert!(
                    matches!(told, Err(Refusal::Malformed(_))),
                    "{name} cut at {len}: {told:?}"
                );
            }
        }
    }

    #[test]
    fn a_wrong_encoding_is_malformed() {
        for encoding in [Encoding::Gzip, Encoding::Zstd, Encoding::Deflate] {
            let told = inflated(encoding, b"\xff\xfe not compressed at all");
            assert!(
                matches!(told, Err(Refusal::Malformed(_))),
                "{encoding:?}: {told:?}"
            );
        }
    }

    #[test]
    fn members_and_frames_in_a_row_are_one_body() {
        let gzip = [gzipped(b"one "), gzipped(b"two")].concat();
        assert_eq!(inflated(Encoding::Gzip, &gzip).unwrap(), b"one two");
        let frame = |bytes| zstd::bulk::compress(bytes, 1).unwrap();
        let frames = [frame(b"one "), frame(b"two")].concat();
        assert_eq!(inflated(Encoding::Zstd, &frames).unwrap(), b"one two");
        let garbage = [gzipped(b"one "), b"garbage".to_vec()].concat();
        assert!(inflated(Encoding::Gzip, &garbage).is_err());
    }

    #[test]
    fn a_lie_about_the_size_is_only_a_lie() {
        let mut body = gzipped(&[7; 1000]);
        let end = body.len();
        body[end - 4..].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(expected_size(Encoding::Gzip, &body, LIMIT), LIMIT);
        assert!(matches!(
            inflated(Encoding::Gzip, &body),
            Err(Refusal::Malformed(_))
        ));
    }
}
