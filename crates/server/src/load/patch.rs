//! Fresh ids and shifted times, in place, in a body that is already encoded.
//!
//! Ids and times have a fixed width in protobuf, so that changing them moves nothing. An [`Index`] remembers where they are
//! in one body; a [`Shift`] is what is done to them: ids are XORed with a mask, the same for all bodies of a
//! repetition, which keeps every reference (parents, links, spans of one trace in many bodies) intact; times are moved.
//! Two shifts compose, so that a body goes from one repetition to the next without a copy of the original.

use wire::proto::{ProtoError, Reader, Tag};

mod tags {
    use super::Tag;
    pub(super) const RESOURCE_SPANS: Tag = Tag::len(1);
    pub(super) const SCOPE_SPANS: Tag = Tag::len(2);
    pub(super) const SPANS: Tag = Tag::len(2);
    pub(super) const TRACE_ID: Tag = Tag::len(1);
    pub(super) const SPAN_ID: Tag = Tag::len(2);
    pub(super) const PARENT_SPAN_ID: Tag = Tag::len(4);
    pub(super) const START: Tag = Tag::fixed64(7);
    pub(super) const END: Tag = Tag::fixed64(8);
    pub(super) const EVENTS: Tag = Tag::len(11);
    pub(super) const LINKS: Tag = Tag::len(13);
    pub(super) const EVENT_TIME: Tag = Tag::fixed64(1);
    pub(super) const LINK_TRACE_ID: Tag = Tag::len(1);
    pub(super) const LINK_SPAN_ID: Tag = Tag::len(2);
}

/// Where the ids and times of a body are, as offsets from its start.
#[derive(Debug, Default)]
pub(super) struct Index {
    trace_ids: Vec<u32>,
    span_ids: Vec<u32>,
    times: Vec<u32>,
    /// Spans in the body.
    pub(super) spans: u64,
    /// The latest end of a span, in nanoseconds; zero without spans.
    pub(super) latest_end: u64,
}

/// What is done to ids and times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Shift {
    pub(super) trace_mask: [u64; 2],
    pub(super) span_mask: u64,
    /// Nanoseconds added to times, wrapping.
    pub(super) nanos: u64,
}

impl Shift {
    /// What leads from bodies shifted by `self` to bodies shifted by `next`.
    pub(super) fn to(self, next: Self) -> Self {
        Self {
            trace_mask: [
                self.trace_mask[0] ^ next.trace_mask[0],
                self.trace_mask[1] ^ next.trace_mask[1],
            ],
            span_mask: self.span_mask ^ next.span_mask,
            nanos: next.nanos.wrapping_sub(self.nanos),
        }
    }
}

impl Index {
    /// Finds the ids and times of a body. Ids of a wrong length and all zeros are left alone, as they mean what they say.
    ///
    /// # Errors
    /// When the body is no protobuf message.
    pub(super) fn of(body: &[u8]) -> Result<Self, ProtoError> {
        let mut index = Self::default();
        let mut request = Reader::new(body);
        while let Some(tag) = request.tag()? {
            match tag {
                tags::RESOURCE_SPANS => index.resource_spans(request.message()?)?,
                other => request.skip(other)?,
            }
        }
        Ok(index)
    }

    fn resource_spans(&mut self, mut group: Reader<'_>) -> Result<(), ProtoError> {
        while let Some(tag) = group.tag()? {
            if tag != tags::SCOPE_SPANS {
                group.skip(tag)?;
                continue;
            }
            let mut scope = group.message()?;
            while let Some(tag) = scope.tag()? {
                match tag {
                    tags::SPANS => self.span(scope.message()?)?,
                    other => scope.skip(other)?,
                }
            }
        }
        Ok(())
    }

    fn span(&mut self, mut span: Reader<'_>) -> Result<(), ProtoError> {
        self.spans += 1;
        while let Some(tag) = span.tag()? {
            match tag {
                tags::TRACE_ID => id::<16>(&mut span, &mut self.trace_ids)?,
                tags::SPAN_ID | tags::PARENT_SPAN_ID => id::<8>(&mut span, &mut self.span_ids)?,
                tags::START => {
                    self.time(&mut span)?;
                }
                tags::END => {
                    let end = self.time(&mut span)?;
                    self.latest_end = self.latest_end.max(end);
                }
                tags::EVENTS => self.event(span.message()?)?,
                tags::LINKS => self.link(span.message()?)?,
                other => span.skip(other)?,
            }
        }
        Ok(())
    }

    fn event(&mut self, mut event: Reader<'_>) -> Result<(), ProtoError> {
        while let Some(tag) = event.tag()? {
            match tag {
                tags::EVENT_TIME => {
                    self.time(&mut event)?;
                }
                other => event.skip(other)?,
            }
        }
        Ok(())
    }

    fn link(&mut self, mut link: Reader<'_>) -> Result<(), ProtoError> {
        while let Some(tag) = link.tag()? {
            match tag {
                tags::LINK_TRACE_ID => id::<16>(&mut link, &mut self.trace_ids)?,
                tags::LINK_SPAN_ID => id::<8>(&mut link, &mut self.span_ids)?,
                other => link.skip(other)?,
            }
        }
        Ok(())
    }

    fn time(&mut self, message: &mut Reader<'_>) -> Result<u64, ProtoError> {
        let offset = message.offset();
        let time = message.fixed64()?;
        self.times.push(offset as u32);
        Ok(time)
    }

    /// Applies a shift to the body that this is the index of. Costs a handful of word-sized writes per span.
    pub(super) fn apply(&self, body: &mut [u8], shift: Shift) {
        for &at in &self.trace_ids {
            let at = at as usize;
            change(&mut body[at..at + 8], |word| word ^ shift.trace_mask[0]);
            change(&mut body[at + 8..at + 16], |word| {
                word ^ shift.trace_mask[1]
            });
        }
        for &at in &self.span_ids {
            let at = at as usize;
            change(&mut body[at..at + 8], |word| word ^ shift.span_mask);
        }
        for &at in &self.times {
            let at = at as usize;
            change(&mut body[at..at + 8], |time| time.wrapping_add(shift.nanos));
        }
    }
}

fn id<const BYTES: usize>(
    message: &mut Reader<'_>,
    offsets: &mut Vec<u32>,
) -> Result<(), ProtoError> {
    let bytes = message.bytes()?;
    if bytes.len() == BYTES && bytes.iter().any(|byte| *byte != 0) {
        // Corpora are read with a bound of less than 4 GiB per body.
        offsets.push((message.offset() - BYTES) as u32);
    }
    Ok(())
}

/// Changes a little-endian word.
#[inline]
fn change(bytes: &mut [u8], by: impl FnOnce(u64) -> u64) {
    let mut word = [0; 8];
    word.copy_from_slice(bytes);
    bytes.copy_from_slice(&by(u64::from_le_bytes(word)).to_le_bytes());
}
