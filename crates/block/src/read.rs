//! Opening a block's Parquet files and finding columns in record batches.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, FixedSizeBinaryArray, ListArray, MapArray, RecordBatch, StringArray,
    StructArray,
};
use arrow::datatypes::{ArrowPrimitiveType, DataType, Field, Fields, Int32Type, Schema};
use model::{Attribute, Range32, SpanBatch, Symbol, SymbolOverflow, ValueRef};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;

/// Why a file of a block could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The bytes are no Parquet file, or a damaged one.
    #[error("damaged: {0}")]
    Parquet(#[from] ParquetError),
    /// A record batch could not be made.
    #[error("damaged: {0}")]
    Arrow(#[from] arrow::error::ArrowError),
    /// A column is missing, has another type, or points outside.
    #[error("damaged: {0}")]
    Content(String),
}

impl From<SymbolOverflow> for ReadError {
    fn from(error: SymbolOverflow) -> Self {
        Self::Content(error.to_string())
    }
}

pub(crate) fn content(what: impl Into<String>) -> ReadError {
    ReadError::Content(what.into())
}

/// Prepares reading a block's file with text as dictionaries, which is how [`SpanDecoder`](crate::SpanDecoder) wants it.
///
/// # Errors
/// [`ReadError::Parquet`] when the columns have no Arrow types.
pub fn reader_metadata(footer: Arc<ParquetMetaData>) -> Result<ArrowReaderMetadata, ReadError> {
    let plain = ArrowReaderMetadata::try_new(footer.clone(), ArrowReaderOptions::new())?;
    let schema = Arc::new(Schema::new(dictionaries(plain.schema().fields())));
    Ok(ArrowReaderMetadata::try_new(
        footer,
        ArrowReaderOptions::new().with_schema(schema),
    )?)
}

fn dictionaries(fields: &Fields) -> Fields {
    fields
        .iter()
        .map(|field| {
            Arc::new(
                field
                    .as_ref()
                    .clone()
                    .with_data_type(dictionary(field.data_type())),
            )
        })
        .collect()
}

fn dictionary(data_type: &DataType) -> DataType {
    let inner = |field: &Arc<Field>| {
        Arc::new(
            field
                .as_ref()
                .clone()
                .with_data_type(dictionary(field.data_type())),
        )
    };
    match data_type {
        DataType::Utf8 => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
        DataType::Binary => {
            DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Binary))
        }
        DataType::Struct(fields) => DataType::Struct(dictionaries(fields)),
        DataType::List(field) => DataType::List(inner(field)),
        DataType::Map(field, sorted) => DataType::Map(inner(field), *sorted),
        other => other.clone(),
    }
}

/// Where columns are looked up by name: a record batch, or the struct inside a list.
pub(crate) trait Columns {
    fn find(&self, name: &str) -> Option<&ArrayRef>;

    fn named(&self, name: &str) -> Result<&ArrayRef, ReadError> {
        self.find(name)
            .ok_or_else(|| content(format!("column `{name}` is missing")))
    }

    fn primitive<T: ArrowPrimitiveType>(&self, name: &str) -> Result<&[T::Native], ReadError> {
        let array = self
            .named(name)?
            .as_primitive_opt::<T>()
            .ok_or_else(|| other_type(name))?;
        Ok(array.values())
    }

    fn ids(&self, name: &str, len: i32) -> Result<&FixedSizeBinaryArray, ReadError> {
        let array = self
            .named(name)?
            .as_fixed_size_binary_opt()
            .ok_or_else(|| other_type(name))?;
        if array.value_length() == len {
            Ok(array)
        } else {
            Err(other_type(name))
        }
    }

    fn text(&self, name: &str) -> Result<TextColumn<'_>, ReadError> {
        TextColumn::new(name, self.named(name)?)
    }

    fn list(&self, name: &str) -> Result<(&ListArray, &StructArray), ReadError> {
        let list = self
            .named(name)?
            .as_list_opt::<i32>()
            .ok_or_else(|| other_type(name))?;
        Ok((
            list,
            list.values()
                .as_struct_opt()
                .ok_or_else(|| other_type(name))?,
        ))
    }

    fn attributes(&self, name: &str) -> Result<AttributeLists<'_>, ReadError> {
        AttributeLists::new(
            self.named(name)?
                .as_map_opt()
                .ok_or_else(|| other_type(name))?,
        )
    }
}

impl Columns for RecordBatch {
    fn find(&self, name: &str) -> Option<&ArrayRef> {
        self.column_by_name(name)
    }
}

impl Columns for StructArray {
    fn find(&self, name: &str) -> Option<&ArrayRef> {
        self.column_by_name(name)
    }
}

pub(crate) fn other_type(name: &str) -> ReadError {
    content(format!("column `{name}` has an unexpected type"))
}

/// A column of text as a dictionary, and the symbols of the entries that were asked for.
pub(crate) struct TextColumn<'a> {
    array: &'a dyn Array,
    keys: &'a [i32],
    values: &'a StringArray,
    symbols: Vec<u32>,
}

const UNSEEN: u32 = u32::MAX;

impl<'a> TextColumn<'a> {
    pub(crate) fn new(name: &str, array: &'a ArrayRef) -> Result<Self, ReadError> {
        let dictionary = array
            .as_dictionary_opt::<Int32Type>()
            .ok_or_else(|| other_type(name))?;
        let values = dictionary
            .values()
            .as_string_opt::<i32>()
            .ok_or_else(|| other_type(name))?;
        Ok(Self {
            array,
            keys: dictionary.keys().values(),
            values,
            symbols: vec![UNSEEN; values.len()],
        })
    }

    /// The text of a row that is not null.
    pub(crate) fn text(&self, row: usize) -> &'a str {
        self.values.value(self.keys[row] as usize)
    }

    /// The symbol of a row's text; the empty string where it is null.
    #[inline]
    pub(crate) fn symbol(
        &mut self,
        row: usize,
        batch: &mut SpanBatch,
    ) -> Result<Symbol, SymbolOverflow> {
        Ok(self
            .present(row, |text| batch.symbols.intern_str(text))?
            .unwrap_or(Symbol::EMPTY))
    }

    /// The symbol that `intern` gives for a row's text; `None` where it is null. `intern` is asked once for each distinct text.
    #[inline]
    pub(crate) fn present(
        &mut self,
        row: usize,
        intern: impl FnOnce(&str) -> Result<Symbol, SymbolOverflow>,
    ) -> Result<Option<Symbol>, SymbolOverflow> {
        if self.array.is_null(row) {
            return Ok(None);
        }
        let key = self.keys[row] as usize;
        if self.symbols[key] == UNSEEN {
            self.symbols[key] = intern(self.values.value(key))?.0;
        }
        Ok(Some(Symbol(self.symbols[key])))
    }
}

/// A column of attribute lists.
pub(crate) struct AttributeLists<'a> {
    offsets: &'a [i32],
    keys: TextColumn<'a>,
    kinds: TextColumn<'a>,
    values: TextColumn<'a>,
}

impl<'a> AttributeLists<'a> {
    fn new(map: &'a MapArray) -> Result<Self, ReadError> {
        let value = map
            .values()
            .as_struct_opt()
            .ok_or_else(|| other_type("value"))?;
        Ok(Self {
            offsets: map.value_offsets(),
            keys: TextColumn::new("key", map.keys())?,
            kinds: value.text("type")?,
            values: value.text("value")?,
        })
    }

    /// Appends the attributes of a row to `into`.
    #[inline]
    pub(crate) fn push(&mut self, row: usize, into: &mut SpanBatch) -> Result<(), ReadError> {
        for at in self.offsets[row] as usize..self.offsets[row + 1] as usize {
            let key = self.keys.symbol(at, into)?;
            let value = self.value(at, into)?;
            into.attributes.push(Attribute { key, value });
        }
        Ok(())
    }

    /// As [`Self::push`], for an owner that has no other attributes.
    pub(crate) fn range(&mut self, row: usize, into: &mut SpanBatch) -> Result<Range32, ReadError> {
        let start = into.attributes.len();
        self.push(row, into)?;
        Ok(Range32::between(start, into.attributes.len()))
    }

    fn value(&mut self, at: usize, into: &mut SpanBatch) -> Result<Symbol, ReadError> {
        let text = self.values.text(at);
        let damaged = || content(format!("`{text}` is no {}", self.kinds.text(at)));
        let value = match self.kinds.text(at) {
            "string" => return Ok(self.values.symbol(at, into)?),
            "int" => ValueRef::Int(text.parse().map_err(|_| damaged())?),
            "double" => ValueRef::Double(text.parse().map_err(|_| damaged())?),
            "bool" => ValueRef::Bool(text.parse().map_err(|_| damaged())?),
            "json" => ValueRef::Json(text),
            _ => return Err(damaged()),
        };
        Ok(into.symbols.intern_value(value)?)
    }
}
