//! Serves the greeter, or calls it.
//!
//! ```text
//! cargo run -p typed_service                           # serves at 127.0.0.1:50051
//! cargo run -p typed_service -- 127.0.0.1:0            # elsewhere
//! cargo run -p typed_service -- http://127.0.0.1:50051 # calls
//! ```

use std::env;
use std::error::Error;

use barewire::client::{CallOptions, Channel};
use typed_service::protos::greet::v1::greeter_client::GreeterClient;
use typed_service::protos::greet::v1::{HelloRequest, RepeatRequest};

fn main() -> Result<(), Box<dyn Error>> {
    let place = env::args().nth(1);
    let place = place.as_deref().unwrap_or("127.0.0.1:50051");
    if place.contains("://") {
        return call(place);
    }
    let app = typed_service::app()?;
    let routes = app.routes();
    let server = app.listen(place)?.spawn()?;
    for address in server.local_addresses() {
        println!("http://{address}\n{routes}");
    }
    server.join()?;
    Ok(())
}

fn call(target: &str) -> Result<(), Box<dyn Error>> {
    let client = GreeterClient::new(Channel::connect(target)?);
    let name = String::from("Ann");
    let request = HelloRequest {
        name: name.clone(),
        options: None,
    };
    let greeting = client.say_hello(&request, CallOptions::new())?;
    println!("{}", greeting.message.text);
    let request = RepeatRequest { name, times: 3 };
    for greeting in client.repeat(&request, CallOptions::new())? {
        println!("{}", greeting?.text);
    }
    Ok(())
}
