//! From the bytes of a file to OTLP requests in protobuf.
//!
//! Four kinds of files are told apart by their content: one protobuf request; many, each behind its length as a
//! little-endian u32; JSON documents of OTLP or Jaeger; and the same a line each.

use std::io::{self, BufRead, Read};

use anyhow::{Context as _, bail, ensure};
use bytes::Bytes;
use wire::proto::{Reader, Tag, Writer};

/// Requests are cut to about this size, so that no server's limit is met and several are under way.
const REQUEST_BYTES: usize = 4 << 20;

/// The largest message, line or document that is read into memory.
const DOCUMENT_BYTES_MAX: usize = 1 << 30;

/// `resource_spans` of a request.
const RESOURCE_SPANS: Tag = Tag::len(1);

/// Bytes that tell the kind of a file.
const LOOK_BYTES: usize = 5;

/// Calls `each` with every request of a file, in order, until it returns an error.
pub(super) fn read(
    mut file: impl BufRead,
    mut each: impl FnMut(Bytes) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut look = Vec::with_capacity(LOOK_BYTES);
    (&mut file).take(LOOK_BYTES as u64).read_to_end(&mut look)?;
    let first = look
        .iter()
        .copied()
        .find(|byte| !byte.is_ascii_whitespace());
    let mut file = io::Cursor::new(look.clone()).chain(file);
    match first {
        None => Ok(()),
        Some(b'{' | b'[') => read_json(&mut file, &mut each),
        Some(_) if look.len() == LOOK_BYTES => read_protobuf(&mut file, &look, &mut each),
        Some(_) => split(&look, &mut each),
    }
}

type Each<'a> = &'a mut dyn FnMut(Bytes) -> anyhow::Result<()>;

/// A single request starts with the tag of its first field, `0x0a`; a length rarely does, and then the message that it
/// announces decides.
fn read_protobuf(file: &mut impl BufRead, look: &[u8], each: Each<'_>) -> anyhow::Result<()> {
    if look[0] == 0x0a {
        return read_ambiguous(file, each);
    }
    while let Some(message) = read_framed(file)? {
        split(&message, each)?;
    }
    Ok(())
}

fn read_ambiguous(file: &mut impl BufRead, each: Each<'_>) -> anyhow::Result<()> {
    let mut header = [0; 4];
    file.read_exact(&mut header)?;
    let length = u32::from_le_bytes(header) as usize;
    let mut start = header.to_vec();
    file.take(length.min(DOCUMENT_BYTES_MAX) as u64)
        .read_to_end(&mut start)?;
    if start.len() == header.len() + length && is_request(&start[header.len()..]) {
        split(&start[header.len()..], each)?;
        while let Some(message) = read_framed(file)? {
            split(&message, each)?;
        }
        return Ok(());
    }
    let rest = read_bounded(file)?;
    start.extend_from_slice(&rest);
    split(&start, each)
}

/// The next message behind a length; `None` at the end of the file.
fn read_framed(file: &mut impl BufRead) -> anyhow::Result<Option<Vec<u8>>> {
    if file.fill_buf()?.is_empty() {
        return Ok(None);
    }
    let mut header = [0; 4];
    file.read_exact(&mut header)
        .context("the file ends inside the length of a message")?;
    let length = u32::from_le_bytes(header) as usize;
    ensure!(
        length <= DOCUMENT_BYTES_MAX,
        "a message of {length} bytes: not a file of OTLP requests"
    );
    let mut message = Vec::new();
    file.take(length as u64).read_to_end(&mut message)?;
    ensure!(message.len() == length, "the file ends inside a message");
    Ok(Some(message))
}

fn read_bounded(file: &mut impl BufRead) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(DOCUMENT_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)?;
    ensure!(
        bytes.len() <= DOCUMENT_BYTES_MAX,
        "a document of more than {DOCUMENT_BYTES_MAX} bytes"
    );
    Ok(bytes)
}

fn is_request(bytes: &[u8]) -> bool {
    let mut reader = Reader::new(bytes);
    loop {
        match reader.tag() {
            Ok(None) => return true,
            Ok(Some(RESOURCE_SPANS)) if reader.bytes().is_ok() => {}
            _ => return false,
        }
    }
}

/// Passes on a request, in several when it is large: resources are never cut.
fn split(request: &[u8], each: Each<'_>) -> anyhow::Result<()> {
    if request.len() <= REQUEST_BYTES {
        // A request that is broken is the server's to refuse, in its words.
        return each(Bytes::copy_from_slice(request));
    }
    let mut part = Writer::new();
    let mut reader = Reader::new(request);
    while let Some(tag) = reader.tag()? {
        match tag {
            RESOURCE_SPANS => {
                let spans = reader.bytes()?;
                if !part.is_empty() && part.len() + spans.len() > REQUEST_BYTES {
                    each(std::mem::take(&mut part).into_bytes().into())?;
                }
                part.bytes(RESOURCE_SPANS, spans);
            }
            other => reader.skip(other)?,
        }
    }
    if part.is_empty() {
        return Ok(());
    }
    each(part.into_bytes().into())
}

/// A file whose first line is a whole document has one on each line.
fn read_json(file: &mut impl BufRead, each: Each<'_>) -> anyhow::Result<()> {
    let mut line = read_line(file)?;
    if serde_json::from_slice::<serde::de::IgnoredAny>(&line).is_err() {
        let rest = read_bounded(file)?;
        line.extend_from_slice(&rest);
        return convert(&line).and_then(|request| split(&request, each));
    }
    for number in 1.. {
        if !line.trim_ascii().is_empty() {
            let request = convert(&line).with_context(|| format!("line {number}"))?;
            split(&request, each)?;
        }
        line = read_line(file)?;
        if line.is_empty() {
            break;
        }
    }
    Ok(())
}

fn read_line(file: &mut impl BufRead) -> anyhow::Result<Vec<u8>> {
    let mut line = Vec::new();
    file.take(DOCUMENT_BYTES_MAX as u64 + 1)
        .read_until(b'\n', &mut line)?;
    ensure!(
        line.len() <= DOCUMENT_BYTES_MAX,
        "a line of more than {DOCUMENT_BYTES_MAX} bytes"
    );
    Ok(line)
}

/// A JSON document as a protobuf request.
fn convert(json: &[u8]) -> anyhow::Result<Vec<u8>> {
    let probe: Probe = match json.trim_ascii_start().first() {
        Some(b'[') => Probe::default(),
        _ => serde_json::from_slice(json).context("not a JSON document")?,
    };
    if probe.resource_spans.is_some() {
        return Ok(wire::otlp_json::to_protobuf(json)?);
    }
    match wire::jaeger_json::to_protobuf(json) {
        Ok(request) => Ok(request),
        Err(error) => bail!("neither OTLP (there is no `resourceSpans`) nor Jaeger: {error}"),
    }
}

/// What tells OTLP from Jaeger.
#[derive(Default, serde::Deserialize)]
struct Probe {
    #[serde(rename = "resourceSpans")]
    resource_spans: Option<serde::de::IgnoredAny>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requests(file: &[u8]) -> Vec<Bytes> {
        let mut requests = Vec::new();
        read(file, |request| {
            requests.push(request);
            Ok(())
        })
        .unwrap();
        requests
    }

    fn request(size: usize) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.bytes(RESOURCE_SPANS, &vec![0; size]);
        writer.into_bytes()
    }

    fn framed(messages: &[Vec<u8>]) -> Vec<u8> {
        let frame =
            |message: &Vec<u8>| [&(message.len() as u32).to_le_bytes(), &message[..]].concat();
        messages.iter().flat_map(frame).collect()
    }

    #[test]
    fn one_request_and_many_are_told_apart() {
        for size in [0, 3, 6, 200, 70_000] {
            let one = request(size);
            assert_eq!(requests(&one), [Bytes::from(one.clone())], "{size}");
            let many = [one.clone(), request(8), one.clone()];
            assert_eq!(requests(&framed(&many)), many.map(Bytes::from), "{size}");
        }
        // Ten bytes behind a length of ten: the length looks like a tag.
        let ten = request(8);
        assert_eq!(ten.len(), 10);
        assert_eq!(requests(&framed(&[ten.clone(), ten.clone()])).len(), 2);
    }

    #[test]
    fn a_large_request_is_cut_between_resources() {
        let resource = vec![0; REQUEST_BYTES / 2];
        let mut writer = Writer::new();
        for _ in 0..5 {
            writer.bytes(RESOURCE_SPANS, &resource);
        }
        let parts = requests(&writer.into_bytes());
        assert_eq!(parts.len(), 5);
        assert!(
            parts
                .iter()
                .all(|part| is_request(part) && part.len() <= REQUEST_BYTES)
        );
    }

    #[test]
    fn a_cut_file_is_an_error() {
        let mut cut = framed(&[request(100)]);
        cut.pop();
        let error = read(&cut[..], |_| Ok(())).unwrap_err();
        assert!(
            error.to_string().contains("ends inside a message"),
            "{error}"
        );
    }

    #[test]
    fn what_is_neither_otlp_nor_jaeger_is_named() {
        let error = read(&b"{\"hello\":1}"[..], |_| Ok(())).unwrap_err();
        assert!(format!("{error:#}").contains("neither OTLP"), "{error:#}");
    }
}
