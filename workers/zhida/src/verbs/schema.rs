//! `zhida schema`: what is in flight, for the programs of others: JSON Schemas of events, the AsyncAPI and OpenAPI documents.

use super::Usage;
use super::out::Out;
use super::table::{Column, Table};
use std::process::ExitCode;
use zhida_schemas::{asyncapi, inbound_schemas, outbound_schemas};

/// Prints one document, or the list of what there is.
pub(crate) fn run(name: Option<&str>) -> anyhow::Result<ExitCode> {
    let mut out = Out::new();
    match name {
        None => out.lines(&list())?,
        Some("asyncapi") => out.json(&asyncapi())?,
        Some("openapi") => out.json(&zhida_console::openapi())?,
        Some(event_type) => {
            let mut all = inbound_schemas().into_iter().chain(outbound_schemas());
            let Some(found) = all.find(|schema| schema.event_type == event_type) else {
                return Err(Usage(format!("there is no schema {event_type:?}; `zhida schema` lists all")).into());
            };
            out.json(&found.schema)?;
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn list() -> Vec<String> {
    let mut table = Table::new(&[("名称 name", Column::Text), ("", Column::Text), ("内容 what it says", Column::Text)]);
    for schema in inbound_schemas() {
        table.row(vec![schema.event_type.to_owned(), "送入 in".to_owned(), schema.sentence.to_owned()]);
    }
    for schema in outbound_schemas() {
        table.row(vec![schema.event_type.to_owned(), "送出 out".to_owned(), schema.sentence.to_owned()]);
    }
    table.row(vec![
        "asyncapi".to_owned(),
        "文档 document".to_owned(),
        "RabbitMQ: exchanges, queues, messages.".to_owned(),
    ]);
    table.row(vec!["openapi".to_owned(), "文档 document".to_owned(), "The HTTP API.".to_owned()]);
    table.lines()
}
