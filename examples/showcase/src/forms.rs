//! Forms of several parts: what has come is told as JSON, and nothing is kept.

use barewire::app::{
    App, Done, EntityTag, PartHead, Refusal, Reply, Request, Response, Route, Spool, SpooledForm,
    Status,
};
use serde_json::{Value, json};
use std::io::Read;

pub(crate) fn routes(app: App) -> App {
    // A small one is collected, a longer one or one without a length goes to disk.
    let form = Route::post("/forms").collect(64 << 10, collected);
    app.route(form.stream(|request, reply| {
        let spool = Spool::new(std::env::temp_dir());
        reply.spool(request, &spool, spooled)
    }))
}

fn collected(request: &Request<'_>, reply: Reply<'_, '_>) -> Result<Done, Refusal> {
    let form = request.multipart()?;
    let parts = form.iter().map(|part| told(part.head(), part.content()));
    let parts: Vec<Value> = parts.collect();
    let text = json!({ "spooled": false, "parts": parts }).to_string();
    reply.json_text(text).ok()
}

fn spooled(form: SpooledForm) -> Result<Response, Refusal> {
    let fields = form.fields().map(|(head, text)| told(head, text));
    let mut parts: Vec<Value> = fields.collect();
    for file in form.files() {
        let mut content = Vec::new();
        let read = file
            .open()
            .and_then(|mut file| file.read_to_end(&mut content));
        read.map_err(|_| Status::INTERNAL_SERVER_ERROR)?;
        parts.push(told(file.head(), &content));
    }
    let text = json!({ "spooled": true, "parts": parts }).to_string();
    Ok(Response::json_text(text))
}

fn told(head: &PartHead, content: &[u8]) -> Value {
    json!({
        "name": head.name(),
        "file": head.file_name(),
        "type": head.content_type(),
        "length": content.len(),
        "sha1": EntityTag::of(content).as_str().trim_matches('"'),
    })
}
