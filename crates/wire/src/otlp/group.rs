//! Spans by resource and scope, as OTLP nests them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use model::{Range32, ResourceRow, SpanBatch};

/// Spans of one resource.
#[derive(Debug)]
pub(crate) struct ResourceGroup {
    /// A row that has the attributes and the schema URL of the resource.
    pub(crate) row: ResourceRow,
    pub(crate) scopes: Vec<ScopeGroup>,
}

/// Spans of one scope within one resource.
#[derive(Debug)]
pub(crate) struct ScopeGroup {
    /// The row that has the rest: name, version, attributes and schema URL of the scope.
    pub(crate) row: ResourceRow,
    /// Indices into the spans of the batch, in their order there.
    pub(crate) spans: Vec<u32>,
}

/// Groups the spans of a batch. Rows of equal content are one group, whether or not they are one row; groups come in the
/// order of their first span.
pub(crate) fn groups(batch: &SpanBatch) -> Vec<ResourceGroup> {
    let mut groups: Vec<ResourceGroup> = Vec::new();
    let mut resources = HashMap::new();
    let mut scopes = HashMap::new();
    let mut places: Vec<Option<(usize, usize)>> = vec![None; batch.resources.len()];
    for (index, span) in batch.spans.iter().enumerate() {
        let (resource, scope) = *places[span.resource as usize].get_or_insert_with(|| {
            let row = batch.resources[span.resource as usize];
            let resource = *resources
                .entry(resource_content(batch, &row))
                .or_insert_with(|| {
                    let scopes = Vec::new();
                    groups.push(ResourceGroup { row, scopes });
                    groups.len() - 1
                });
            let group = &mut groups[resource].scopes;
            let scope = match scopes.entry((resource, scope_content(batch, &row))) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(new) => {
                    let spans = Vec::new();
                    group.push(ScopeGroup { row, spans });
                    *new.insert(group.len() - 1)
                }
            };
            (resource, scope)
        });
        groups[resource].scopes[scope].spans.push(index as u32);
    }
    groups
}

/// All that makes a resource what it is; equal in one batch for equal resources, since symbols are.
fn resource_content(batch: &SpanBatch, row: &ResourceRow) -> Vec<u32> {
    let own = [row.schema_url.0, row.dropped_attributes];
    content(batch, &own, row.attributes)
}

fn scope_content(batch: &SpanBatch, row: &ResourceRow) -> Vec<u32> {
    let own = [
        row.scope_schema_url.0,
        row.scope_dropped_attributes,
        row.scope_name.0,
        row.scope_version.0,
    ];
    content(batch, &own, row.scope_attributes)
}

fn content(batch: &SpanBatch, own: &[u32], attributes: Range32) -> Vec<u32> {
    let attributes = batch.attributes(attributes);
    let mut content = Vec::with_capacity(own.len() + 2 * attributes.len());
    content.extend_from_slice(own);
    content.extend(attributes.iter().flat_map(|a| [a.key.0, a.value.0]));
    content
}
