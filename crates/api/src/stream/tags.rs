//! `SearchTags`, `SearchTagValues` and their second versions: answered at once, in as few messages as they fit.

use wire::tempo::{
    TagScope, TagValuesRequest, TagValuesResponse, TagValuesV2Response, TagsRequest, TagsResponse,
    TagsV2Response,
};

use super::out::Out;
use super::packet::packets;
use super::{Job, seconds, unreadable};
use crate::edge::Edge;
use crate::web::failure::Failure;
use crate::web::query::limits;
use crate::web::tempo::ask::{TagsAsk, ValuesAsk, identifier, tags_scope};
use crate::web::tempo::{answer, old_field, tags};

fn names(message: &[u8]) -> Result<TagsAsk, Failure> {
    let message = TagsRequest::decode(message).map_err(|error| unreadable(&error))?;
    Ok(TagsAsk {
        scope: tags_scope(&message.scope)?,
        q: Some(message.query).filter(|query| !query.trim().is_empty()),
        start: seconds(message.start),
        end: seconds(message.end),
        limit: message.limit as usize,
    })
}

/// `SearchTags`
pub(super) fn names_v1(edge: Edge, message: &[u8], out: Out) -> Result<Job, Failure> {
    let ask = names(message)?;
    ask.request(limits(&edge))?;
    Ok(Box::pin(async move {
        let TagsResponse { tag_names, metrics } =
            answer::tags_v1(&ask, tags::names(&edge, &ask).await?);
        let messages = packets(tag_names, String::len).into_iter();
        let messages = messages.map(|tag_names| TagsResponse { tag_names, metrics }.to_protobuf());
        out.send(&messages.collect::<Vec<_>>()).await;
        Ok(())
    }))
}

/// `SearchTagsV2`
pub(super) fn names_v2(edge: Edge, message: &[u8], out: Out) -> Result<Job, Failure> {
    let ask = names(message)?;
    ask.request(limits(&edge))?;
    Ok(Box::pin(async move {
        let TagsV2Response { scopes, metrics } =
            answer::tags_v2(&ask, tags::names(&edge, &ask).await?);
        let messages = packets(cut(scopes), |scope| scope.to_protobuf().len()).into_iter();
        let messages = messages.map(|scopes| TagsV2Response { scopes, metrics }.to_protobuf());
        out.send(&messages.collect::<Vec<_>>()).await;
        Ok(())
    }))
}

/// Scopes with more names than fit a message become several of the same name; clients join them.
fn cut(scopes: Vec<TagScope>) -> impl Iterator<Item = TagScope> {
    scopes.into_iter().flat_map(|TagScope { name, tags }| {
        let parts = packets(tags, String::len).into_iter();
        parts.map(move |tags| TagScope {
            name: name.clone(),
            tags,
        })
    })
}

/// `SearchTagValues`
pub(super) fn values_v1(edge: Edge, message: &[u8], out: Out) -> Result<Job, Failure> {
    let message = TagValuesRequest::decode(message).map_err(|error| unreadable(&error))?;
    let field = old_field(&message.tag);
    let ask = values(message, field);
    Ok(Box::pin(async move {
        let TagValuesResponse {
            tag_values,
            metrics,
        } = answer::values_v1(&tags::values(&edge, ask).await?);
        let messages = packets(tag_values, String::len).into_iter();
        let messages = messages.map(|tag_values| {
            TagValuesResponse {
                tag_values,
                metrics,
            }
            .to_protobuf()
        });
        out.send(&messages.collect::<Vec<_>>()).await;
        Ok(())
    }))
}

/// `SearchTagValuesV2`
pub(super) fn values_v2(edge: Edge, message: &[u8], out: Out) -> Result<Job, Failure> {
    let message = TagValuesRequest::decode(message).map_err(|error| unreadable(&error))?;
    let field = identifier(&message.tag)?;
    let ask = values(message, field);
    Ok(Box::pin(async move {
        let TagValuesV2Response {
            tag_values,
            metrics,
        } = answer::values_v2(&tags::values(&edge, ask).await?);
        let messages = packets(tag_values, |value| value.to_protobuf().len()).into_iter();
        let messages = messages.map(|tag_values| {
            TagValuesV2Response {
                tag_values,
                metrics,
            }
            .to_protobuf()
        });
        out.send(&messages.collect::<Vec<_>>()).await;
        Ok(())
    }))
}

fn values(message: TagValuesRequest, field: traceql::query::Field) -> ValuesAsk {
    ValuesAsk {
        field,
        q: Some(message.query).filter(|query| !query.trim().is_empty()),
        start: seconds(message.start),
        end: seconds(message.end),
        limit: message.limit as usize,
    }
}
