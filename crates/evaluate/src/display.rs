//! What an answer shows of a span.

use std::sync::Arc;

use hashbrown::HashSet;
use traceql::query::{Column, Field, Pipeline, Scalar, Spansets, Stage};

use crate::Shown;
use crate::reader::read;
use crate::tree::Tree;

/// Fields to be shown of each span of an answer: first those that `select` asks for, then the others that the query looks at.
#[derive(Debug, Clone, Default)]
pub struct Display {
    columns: Vec<Column>,
    labels: Vec<Arc<str>>,
    selected: usize,
}

impl Display {
    /// What a pipeline asks for, and what it looks at. Each label comes once, in the order written.
    pub fn new(pipeline: &Pipeline) -> Self {
        let mut columns = Selected::default();
        columns.pipeline(pipeline);
        let mut columns = columns.columns;
        let selected = columns.len();
        let mut known: HashSet<Field> = columns.iter().map(|c| c.field.clone()).collect();
        pipeline.visit_fields(&mut |field| {
            if known.insert(field.clone()) {
                columns.push(Column {
                    field: field.clone(),
                    label: field.to_string(),
                });
            }
        });
        let labels = columns
            .iter()
            .map(|column| column.label.as_str().into())
            .collect();
        Self {
            columns,
            labels,
            selected,
        }
    }

    /// All fields.
    pub fn fields(&self) -> &[Column] {
        &self.columns
    }

    /// Those that `select` asks for, anywhere in the query.
    pub fn selected(&self) -> &[Column] {
        &self.columns[..self.selected]
    }

    /// Label, field and value of everything that the span at a position has; nil is left out.
    ///
    /// # Panics
    /// When the tree has no such position.
    pub fn show(&self, tree: &Tree<'_>, at: u32) -> Vec<(Arc<str>, Field, Shown)> {
        self.columns
            .iter()
            .zip(&self.labels)
            .filter_map(|(column, label)| {
                let value = read(&column.field, tree, at)?;
                Some((Arc::clone(label), column.field.clone(), value))
            })
            .collect()
    }
}

/// Columns of `select`, each label once.
#[derive(Default)]
struct Selected {
    columns: Vec<Column>,
    labels: HashSet<String>,
}

impl Selected {
    fn pipeline(&mut self, pipeline: &Pipeline) {
        for stage in &pipeline.stages {
            match stage {
                Stage::Select(selected) => {
                    for column in selected {
                        if self.labels.insert(column.label.clone()) {
                            self.columns.push(column.clone());
                        }
                    }
                }
                Stage::Spansets(spansets) => self.spansets(spansets),
                Stage::Keep(filter) => {
                    self.scalar(&filter.left);
                    self.scalar(&filter.right);
                }
                Stage::By(_) | Stage::Coalesce => {}
            }
        }
    }

    fn spansets(&mut self, spansets: &Spansets) {
        match spansets {
            Spansets::Filter(_) => {}
            Spansets::And(operands) | Spansets::Or(operands) => {
                operands.iter().for_each(|operand| self.spansets(operand));
            }
            Spansets::Related { left, right, .. } => {
                self.spansets(left);
                self.spansets(right);
            }
            Spansets::Pipeline(pipeline) => self.pipeline(pipeline),
        }
    }

    fn scalar(&mut self, scalar: &Scalar) {
        match scalar {
            Scalar::Constant(_) | Scalar::Aggregate(..) => {}
            Scalar::Over { pipeline, scalar } => {
                self.pipeline(pipeline);
                self.scalar(scalar);
            }
            Scalar::Negate(inner) => self.scalar(inner),
            Scalar::Arith { left, right, .. } => {
                self.scalar(left);
                self.scalar(right);
            }
        }
    }
}
