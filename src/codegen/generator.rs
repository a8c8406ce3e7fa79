//! The code for a service.
//!
//! It is put together from templates.

use std::collections::BTreeSet;
use std::format;
use std::string::String;

use prost_build::{Comments, Method, Service, ServiceGenerator};

use super::templates::{ALLOW, CLIENT, LOOP_CLIENT, PAYLOAD, SERVER, templates};
use super::text::{put, snake};

/// Methods of clients whose names are taken.
const TAKEN: &[&str] = &["new", "on_loop"];

/// `NO_SIDE_EFFECTS` of `google.protobuf.MethodOptions.IdempotencyLevel`.
const NO_SIDE_EFFECTS: i32 = 1;

/// Writes the code of services behind that of their package's messages.
pub(super) struct Generator {
    server: bool,
    client: bool,
    /// Messages that are payloads by now, by their names in the files.
    payloads: BTreeSet<String>,
}

impl Generator {
    pub(super) const fn new(server: bool, client: bool) -> Self {
        Self {
            server,
            client,
            payloads: BTreeSet::new(),
        }
    }

    /// Makes payloads of the messages that a method has.
    fn put_payloads(&mut self, method: &Method, buf: &mut String) {
        for (name, rust) in [
            (&method.input_proto_type, &method.input_type),
            (&method.output_proto_type, &method.output_type),
        ] {
            if is_own(rust) && rust != "()" && self.payloads.insert(name.clone()) {
                put(buf, 0, PAYLOAD, &[("type", rust)]);
            }
        }
    }
}

impl ServiceGenerator for Generator {
    fn generate(&mut self, service: Service, buf: &mut String) {
        for method in &service.methods {
            self.put_payloads(method, buf);
        }
        if self.server {
            put_server(&service, buf);
        }
        if self.client {
            put_client(&service, buf);
        }
    }
}

fn put_server(service: &Service, buf: &mut String) {
    let name = full_name(service);
    let of_service = [("name", &*name), ("Echo", &service.name)];
    put(buf, 0, "/// `{name}` on a server.\n", &of_service);
    buf.push_str(ALLOW);
    put(
        buf,
        0,
        &format!("pub mod {}_server {{", snake(&service.name)),
        &[],
    );
    put_comments(
        &service.comments,
        1,
        "What `{name}` does.",
        &of_service,
        buf,
    );
    put_deprecated(service.options.deprecated(), 1, buf);
    let bounds = "pub trait {Echo}: ::core::marker::Send + ::core::marker::Sync + 'static {";
    put(buf, 1, bounds, &of_service);
    for method in &service.methods {
        let values = Values::new(service, method);
        values.put_docs(method, buf);
        values.put(2, templates(method).server, buf);
    }
    put(buf, 1, "}", &[]);
    put(buf, 0, SERVER, &of_service);
    for method in &service.methods {
        let values = Values::new(service, method);
        values.put(2, templates(method).register, buf);
        if is_safe(method) {
            values.put(
                2,
                "let service = service.no_side_effects(\"{Method}\");",
                buf,
            );
        }
    }
    put(buf, 0, "        service\n    }\n}\n", &[]);
}

fn put_client(service: &Service, buf: &mut String) {
    let name = full_name(service);
    let of_service = [("name", &*name), ("Echo", &service.name)];
    put(
        buf,
        0,
        "/// `{name}` as its clients call it.\n",
        &of_service,
    );
    buf.push_str(ALLOW);
    put(
        buf,
        0,
        &format!("pub mod {}_client {{", snake(&service.name)),
        &[],
    );
    put(buf, 0, CLIENT, &of_service);
    for (at, rest) in [LOOP_CLIENT, "    }\n}\n"].into_iter().enumerate() {
        for method in &service.methods {
            let values = Values::new(service, method);
            values.put_docs(method, buf);
            if is_safe(method) {
                let text = "///\n/// It has no side effects: `CallOptions::http_get` may be used.";
                put(buf, 2, text, &[]);
            }
            if let Some(template) = templates(method).client.get(at) {
                values.put(2, template, buf);
            }
        }
        put(buf, 0, rest, &of_service);
    }
}

/// What the templates of a method name.
struct Values([(&'static str, String); 9]);

impl Values {
    fn new(service: &Service, method: &Method) -> Self {
        let (own, input) = (is_own(&method.input_type), path(&method.input_type));
        let call = match TAKEN.contains(&&*method.name) {
            true => format!("{}_", method.name),
            false => method.name.clone(),
        };
        Self([
            ("name", full_name(service)),
            ("Echo", service.name.clone()),
            ("Method", method.proto_name.clone()),
            ("method", method.name.clone()),
            ("call", call),
            (
                "given",
                String::from(if own { "request" } else { "request.0" }),
            ),
            ("payload", payload(&method.input_type)),
            ("out", payload(&method.output_type)),
            ("in", input),
        ])
    }

    fn put(&self, level: usize, template: &str, buf: &mut String) {
        let values = self.0.each_ref().map(|(name, value)| (*name, &**value));
        put(buf, level, template, &values);
    }

    fn put_docs(&self, method: &Method, buf: &mut String) {
        let values = self.0.each_ref().map(|(name, value)| (*name, &**value));
        let otherwise = "The method `{Method}`.";
        put_comments(&method.comments, 2, otherwise, &values, buf);
        put_deprecated(method.options.deprecated(), 2, buf);
    }
}

fn put_comments(
    comments: &Comments,
    level: u8,
    otherwise: &str,
    values: &[(&str, &str)],
    buf: &mut String,
) {
    if comments.leading.is_empty() && comments.trailing.is_empty() {
        put(buf, level.into(), &format!("/// {otherwise}"), values);
    } else {
        comments.append_with_indent(level, buf);
    }
}

fn put_deprecated(deprecated: bool, level: u8, buf: &mut String) {
    if deprecated {
        put(buf, level.into(), "#[deprecated]", &[]);
    }
}

fn full_name(service: &Service) -> String {
    match &*service.package {
        "" => service.proto_name.clone(),
        package => format!("{package}.{}", service.proto_name),
    }
}

fn is_safe(method: &Method) -> bool {
    method.options.idempotency_level == Some(NO_SIDE_EFFECTS)
}

/// Whether a type, as it is named in its package, has been generated here, so that it can be
/// made a payload; `()` is one.
fn is_own(rust: &str) -> bool {
    let is_absolute = rust.starts_with("::") || rust.starts_with("crate::");
    let is_primitive = !rust.contains("::") && rust.starts_with(|it: char| it.is_lowercase());
    rust == "()" || !is_absolute && !is_primitive
}

/// A type as a module of the package names it.
fn path(rust: &str) -> String {
    match is_own(rust) && rust != "()" {
        true => format!("super::{rust}"),
        false => String::from(rust),
    }
}

fn payload(rust: &str) -> String {
    match is_own(rust) {
        true => path(rust),
        false => format!("::barewire::grpc::Proto<{rust}>"),
    }
}
