//! The few words of protobuf that an encoder needs.

/// Appends fields to a message.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    fn tag(&mut self, field: u32, wire_type: u32) {
        self.varint(u64::from(field << 3 | wire_type));
    }

    /// A varint field; nothing for zero, which is the default.
    pub(crate) fn uint(&mut self, field: u32, value: u64) {
        if value != 0 {
            self.uint_always(field, value);
        }
    }

    /// A varint field, also for zero: inside a oneof, zero is a value.
    pub(crate) fn uint_always(&mut self, field: u32, value: u64) {
        self.tag(field, 0);
        self.varint(value);
    }

    /// A field of eight bytes.
    pub(crate) fn fixed64(&mut self, field: u32, value: u64) {
        self.tag(field, 1);
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// A field of four bytes; nothing for zero.
    pub(crate) fn fixed32(&mut self, field: u32, value: u32) {
        if value != 0 {
            self.tag(field, 5);
            self.bytes.extend_from_slice(&value.to_le_bytes());
        }
    }

    /// A string or bytes field; nothing when empty.
    pub(crate) fn bytes(&mut self, field: u32, value: &[u8]) {
        if !value.is_empty() {
            self.bytes_always(field, value);
        }
    }

    /// A string or bytes field, also when empty.
    pub(crate) fn bytes_always(&mut self, field: u32, value: &[u8]) {
        self.tag(field, 2);
        self.varint(value.len() as u64);
        self.bytes.extend_from_slice(value);
    }

    /// A message field. Its length goes in front once it is known, so the body moves by a few bytes: cheaper than
    /// encoding twice, as messages are small or few.
    pub(crate) fn message(&mut self, field: u32, body: impl FnOnce(&mut Self)) {
        self.tag(field, 2);
        let start = self.bytes.len();
        body(self);
        let length = self.bytes.len() - start;
        let mut prefix = Self::default();
        prefix.varint(length as u64);
        let prefix = prefix.bytes;
        self.bytes.resize(start + length + prefix.len(), 0);
        self.bytes
            .copy_within(start..start + length, start + prefix.len());
        self.bytes[start..start + prefix.len()].copy_from_slice(&prefix);
    }
}
