//! Serves the notes.

fn main() -> Result<(), barewire::net::Error> {
    let app = openapi::app();
    println!("{}", app.routes());
    app.listen("127.0.0.1:8080")?.run()
}
