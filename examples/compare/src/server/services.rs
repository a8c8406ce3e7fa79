//! The services of gRPC, gRPC-Web and Connect: one with messages of Protocol Buffers, and the
//! same with JSON.

use barewire::app::{
    App, CallStatus, Conversation, Payload as Codec, Publication, ResponseStream, ServerStream,
    Service,
};
use barewire::grpc::{Json, Proto, Status};

use crate::cells::MESSAGES;
use crate::payload::{Payload, Text, Users, users};

/// The service whose messages are Protocol Buffers.
pub const PROTO: &str = "compare.Proto";
/// The service whose messages are JSON.
pub const JSON: &str = "compare.Json";

pub(super) fn routes(app: App) -> App {
    let proto = service(PROTO, Proto, |Proto(text)| text, Proto);
    let json = service(JSON, Json, |Json(text)| text, Json);
    app.grpc(proto).grpc(json)
}

/// A service with this codec of texts and of lists.
fn service<T, U>(
    name: &str,
    wrap: fn(Text) -> T,
    open: fn(T) -> Text,
    list: fn(Users) -> U,
) -> Service
where
    T: Codec + Send + 'static,
    U: Codec + Send + 'static,
{
    Service::new(name)
        .unary("Echo", move |text: T, _call| {
            Ok::<_, CallStatus>(wrap(open(text)))
        })
        .unary("Users", move |_: T, _call| {
            Ok::<_, CallStatus>(list(users(0)))
        })
        .server_streaming("Pushes", move |name: T, _call| {
            let name = open(name).body;
            let payload = Payload::named(&name);
            let payload =
                payload.ok_or_else(|| Status::new(barewire::app::Code::NotFound, name))?;
            let text = Text::of(payload);
            Ok((0..MESSAGES).map(move |_| Ok(wrap(text.clone()))))
        })
        .server_streaming_object("All", move |_: T, _call| Ok(Member(wrap)))
        .client_streaming("Upload", move |_call| {
            Ok(Upload {
                count: 0,
                wrap,
                open,
            })
        })
        .bidirectional("Both", move |_call| Ok(Both(std::marker::PhantomData::<T>)))
}

/// Counts messages.
struct Upload<T> {
    count: usize,
    wrap: fn(Text) -> T,
    open: fn(T) -> Text,
}

impl<T: Codec + 'static> Conversation for Upload<T> {
    type Request = T;
    type Response = T;

    fn message(&mut self, message: T, _stream: &mut ResponseStream<'_, '_, T>) {
        self.count += usize::from(!(self.open)(message).body.is_empty());
    }

    fn half_closed(&mut self, stream: &mut ResponseStream<'_, '_, T>) {
        let body = self.count.to_string();
        stream.respond(&(self.wrap)(Text { body }));
    }
}

/// Gives each message back.
struct Both<T>(std::marker::PhantomData<T>);

impl<T: Codec + 'static> Conversation for Both<T> {
    type Request = T;
    type Response = T;

    fn message(&mut self, message: T, stream: &mut ResponseStream<'_, '_, T>) {
        stream.send(&message);
    }

    fn half_closed(&mut self, stream: &mut ResponseStream<'_, '_, T>) {
        stream.finish(Status::OK);
    }
}

/// Hears what is published.
struct Member<T>(fn(Text) -> T);

impl<T: Codec + 'static> ServerStream for Member<T> {
    type Message = T;

    fn open(&mut self, stream: &mut ResponseStream<'_, '_, T>) {
        stream.send_head();
        if stream.join(super::ALL).is_err() {
            stream.finish(Status::new(
                barewire::app::Code::Unavailable,
                "no room in the channel",
            ));
        }
    }

    fn publication(
        &mut self,
        stream: &mut ResponseStream<'_, '_, T>,
        _channel: &str,
        publication: &Publication,
    ) {
        let body = publication.as_text().unwrap_or_default().to_owned();
        stream.send(&(self.0)(Text { body }));
    }
}
