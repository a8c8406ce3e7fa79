//! Chapter 1: three routes.

use barewire::app::{App, Error};

fn main() -> Result<(), Error> {
    let address = std::env::args().nth(1);
    let server = App::new()
        .get("/", |_request, reply| reply.text("Hello, World!"))
        .get("/hello/{name}", |request, reply| {
            let name = request.param("name");
            match request.query_value("greeting") {
                Some(greeting) => reply.text(format!("{greeting}, {name}!")),
                None => reply.text(format!("Hello, {name}!")),
            }
        })
        .post("/echo", |request, reply| {
            reply.body(request.content_type(), request.body())
        })
        .listen(address.as_deref().unwrap_or("127.0.0.1:8080"))?
        .spawn()?;
    println!("http://{}", server.local_addresses()[0]);
    server.join()?;
    Ok(())
}
