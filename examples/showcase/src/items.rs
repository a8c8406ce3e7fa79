//! What gains by compression: a list, and lines that come one by one.
//!
//! ```text
//! GET /items   JSON of some 10 KB
//! GET /lines   a line of JSON, and another each second, as long as the client stays
//! ```

use std::time::Duration;

use barewire::app::{App, Stream, Streaming};

pub(crate) fn routes(app: App) -> App {
    app.get("/items", |_request, reply| reply.json_text(items()))
        .get("/lines", |_request, reply| {
            let reply = reply.header("Content-Type", "application/x-ndjson");
            reply.stream(Lines(0))
        })
}

fn items() -> String {
    let items: Vec<_> = (0..180).map(item).collect();
    format!("[{}]", items.join(","))
}

fn item(id: u32) -> String {
    let price = f64::from(id.wrapping_mul(7919) % 10_000) / 100.0;
    format!(
        "{{\"id\":{id},\"name\":\"item {id}\",\"price\":{price},\"in_stock\":{}}}",
        !id.is_multiple_of(3)
    )
}

/// So many lines were written.
struct Lines(u32);

impl Streaming for Lines {
    fn writable(&mut self, stream: &mut Stream<'_, '_>) {
        if self.0 == 0 {
            self.timer(stream, 0);
        }
    }

    fn timer(&mut self, stream: &mut Stream<'_, '_>, _token: u32) {
        self.0 = self.0.wrapping_add(1);
        stream.write(format!("{}\n", item(self.0)).as_bytes());
        stream.after(Duration::from_secs(1), 0);
    }

    fn draining(&mut self, stream: &mut Stream<'_, '_>) {
        stream.finish();
    }
}
