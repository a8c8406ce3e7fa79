//! An OpenAPI 3.1 document: the table of routes, with schemas for the types that it names.

use std::any::type_name;
use std::collections::BTreeMap;

use barewire::app::{RouteInfo, RouteKind, Routes};
use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

/// The methods that an operation is written for where a route serves all of them.
const ALL: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The schemas of types, by the names that routes have for them.
pub struct Schemas {
    generator: SchemaGenerator,
    of: BTreeMap<&'static str, Schema>,
}

impl Default for Schemas {
    fn default() -> Self {
        // OpenAPI 3.1 has the schemas of JSON Schema 2020-12, in a place of its own.
        let settings = SchemaSettings::draft2020_12();
        let settings = settings.with(|it| it.definitions_path = "/components/schemas".into());
        Self {
            generator: settings.into_generator(),
            of: BTreeMap::new(),
        }
    }
}

impl Schemas {
    /// Adds the schema of a type.
    #[must_use]
    pub fn with<T: JsonSchema>(mut self) -> Self {
        let schema = self.generator.subschema_for::<T>();
        self.of.insert(type_name::<T>(), schema);
        self
    }

    /// Content of this media type; of any, where a route does not say what it is.
    fn content(&self, media_type: &str, of: Option<&str>) -> Value {
        let schema = of.and_then(|of| self.of.get(of));
        match schema {
            Some(schema) => json!({ (media_type): { "schema": schema } }),
            None => json!({ (media_type): {} }),
        }
    }
}

/// The document of an app.
pub fn document(title: &str, version: &str, routes: &Routes, mut schemas: Schemas) -> Value {
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for route in routes {
        let (path, parameters) = path(route.pattern());
        let operations = paths.entry(path).or_default();
        let methods = match route.method() {
            Some(method) => vec![method.to_lowercase()],
            None => ALL.map(String::from).into(),
        };
        for method in methods {
            // A route of its own goes before one of all methods.
            let place = operations.entry(&*method);
            place.or_insert_with(|| operation(route, &method, &parameters, &schemas));
        }
    }
    let components = schemas.generator.take_definitions(true);
    json!({
        "openapi": "3.1.0",
        "info": { "title": title, "version": version },
        "paths": paths,
        "components": { "schemas": components },
    })
}

/// A pattern as OpenAPI writes it, without the star of a rest, and its parameters.
fn path(pattern: &str) -> (String, Vec<Value>) {
    let mut parameters = Vec::new();
    let segments = pattern.split('/').map(|segment| {
        let name = segment
            .strip_prefix('{')
            .and_then(|it| it.strip_suffix('}'));
        let Some(name) = name.map(|it| it.trim_start_matches('*')) else {
            return segment.to_owned();
        };
        parameters.push(json!({
            "name": name,
            "in": "path",
            "required": true,
            "schema": { "type": "string" },
        }));
        format!("{{{name}}}")
    });
    let segments: Vec<String> = segments.collect();
    (segments.join("/"), parameters)
}

fn operation(route: &RouteInfo, method: &str, parameters: &[Value], schemas: &Schemas) -> Value {
    let kind = route.kind();
    let id = match route.name() {
        Some(name) => name.to_owned(),
        None => format!("{method} {}", route.pattern()),
    };
    let (status, description, content) = match kind {
        RouteKind::WebSocket => ("101", "a WebSocket", None),
        RouteKind::Events => ("200", "events", Some("text/event-stream")),
        RouteKind::Files => ("200", "a file", Some("*/*")),
        _ => (
            "200",
            "the answer",
            route.response_type().map(|_| "application/json"),
        ),
    };
    let mut response = json!({ "description": description });
    if let Some(media_type) = content {
        response["content"] = schemas.content(media_type, route.response_type());
    }
    let mut operation = json!({
        "operationId": id,
        "tags": [kind.to_string()],
        "parameters": parameters,
        "responses": { (status): response },
    });
    if let Some(request) = route.request_type() {
        let content = schemas.content("application/json", Some(request));
        operation["requestBody"] = json!({ "required": true, "content": content });
    }
    operation
}
