//! The table of an app's routes.

use barewire::app::{
    App, Bytes, Conversation, EventStream, Events, Files, Message, Reflection, ResponseStream,
    Route, RouteKind, Service, Socket, WebSocket,
};

struct Deaf;

impl WebSocket for Deaf {
    fn message(&mut self, _socket: &mut Socket<'_, '_>, _message: Message<'_>) {}
}

impl Events for Deaf {
    fn open(&mut self, _stream: &mut EventStream<'_, '_>) {}
}

impl Conversation for Deaf {
    type Request = Vec<u8>;
    type Response = Bytes;

    fn message(&mut self, _message: Vec<u8>, _stream: &mut ResponseStream<'_, '_, Bytes>) {}

    fn half_closed(&mut self, _stream: &mut ResponseStream<'_, '_, Bytes>) {}
}

fn table(app: &App) -> Vec<(Option<String>, String, RouteKind)> {
    let routes = app.routes().into_iter();
    routes
        .map(|it| {
            let method = it.method().map(String::from);
            (method, it.pattern().into(), it.kind())
        })
        .collect()
}

#[test]
fn each_kind_of_route_stands_in_the_order_it_was_added() {
    let service = Service::new("a.A")
        .unary("Unary", |request: Vec<u8>, _call| Ok(request))
        .server_streaming("Server", |request: Vec<u8>, _call| Ok([Ok(request)]))
        .client_streaming("Client", |_call| Ok(Deaf))
        .bidirectional("Both", |_call| Ok(Deaf))
        .no_side_effects("Unary");
    let app = App::new()
        .get("/users/{id}", |_request, reply| reply.text(""))
        .any("/{*rest}", |_request, reply| reply.text(""))
        .files("/static", Files::new(env!("CARGO_MANIFEST_DIR")))
        .websocket("/ws", |_request| Ok(Deaf))
        .events("/events", |_request| Ok(Deaf))
        .grpc(service);
    let some = |method: &str| Some(String::from(method));
    assert_eq!(
        table(&app),
        [
            (some("GET"), "/users/{id}".into(), RouteKind::Handler),
            (None, "/{*rest}".into(), RouteKind::Handler),
            (some("GET"), "/static".into(), RouteKind::Files),
            (some("GET"), "/static/{*file}".into(), RouteKind::Files),
            (some("GET"), "/ws".into(), RouteKind::WebSocket),
            (some("GET"), "/events".into(), RouteKind::Events),
            (some("POST"), "/a.A/Both".into(), RouteKind::Bidirectional),
            (
                some("POST"),
                "/a.A/Client".into(),
                RouteKind::ClientStreaming
            ),
            (
                some("POST"),
                "/a.A/Server".into(),
                RouteKind::ServerStreaming
            ),
            (some("GET"), "/a.A/Unary".into(), RouteKind::Unary),
            (some("POST"), "/a.A/Unary".into(), RouteKind::Unary),
        ]
    );
}

#[test]
fn names_and_types_stand_where_they_are_known() {
    struct Note;
    let route = Route::put("/notes/{id}").name("put_note");
    let route = route.request_type::<Note>().response_type::<u32>();
    let app = App::new()
        .route(route.collect(0, |_request, reply| reply.text("")))
        .get("/plain", |_request, reply| reply.text(""))
        .grpc(Service::new("a.A").client_streaming("Client", |_call| Ok(Deaf)))
        .grpc(Service::new("a.B").unary_bytes("Bytes", |_request, _call, _response| Ok(())));
    let routes = app.routes();
    let known: Vec<_> = routes
        .iter()
        .map(|it| (it.name(), it.request_type(), it.response_type()))
        .collect();
    let note = core::any::type_name::<Note>();
    let (vec, bytes) = ("alloc::vec::Vec<u8>", "bytes::bytes::Bytes");
    assert_eq!(
        known,
        [
            (Some("put_note"), Some(note), Some("u32")),
            (None, None, None),
            (Some("a.A.Client"), Some(vec), Some(bytes)),
            (Some("a.B.Bytes"), None, None),
        ]
    );
}

#[test]
fn what_is_printed_stands_in_columns() {
    let app = App::new()
        .get("/", |_request, reply| reply.text(""))
        .route(
            Route::delete("/notes/{id}")
                .name("forget")
                .stream(|_request, reply| reply.text("")),
        )
        .websocket("/ws", |_request| Ok(Deaf));
    assert_eq!(
        app.routes().to_string(),
        "GET     /            handler\n\
         DELETE  /notes/{id}  handler    forget\n\
         GET     /ws          websocket"
    );
    assert_eq!(App::new().routes().to_string(), "");
}

#[test]
fn a_route_that_is_refused_is_not_listed() {
    let app = App::new()
        .get("/a", |_request, reply| reply.text("first"))
        .get("/a", |_request, reply| reply.text("second"))
        .get("/b", |_request, reply| reply.text(""));
    let patterns: Vec<_> = app
        .routes()
        .iter()
        .map(|it| it.pattern().to_owned())
        .collect();
    assert_eq!(patterns, ["/a", "/b"]);
    assert!(app.listen("127.0.0.1:0").unwrap().spawn().is_err());
}

#[test]
fn reflection_is_a_service_of_methods() {
    let app = App::new().grpc(Reflection::new(b"").unwrap().service());
    assert_eq!(table(&app)[0].2, RouteKind::Bidirectional);
}
