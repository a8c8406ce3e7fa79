//! A route as a newcomer writes it first.

use barewire::app::App;

use crate::app_support::Running;

#[test]
fn hello() {
    let app = App::new().get("/hello", |_request, reply| reply.text("Hello, World!"));
    let running = Running::start(app);
    assert_eq!(running.get("/hello").body, "Hello, World!");
}
