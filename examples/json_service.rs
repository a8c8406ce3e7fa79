//! A service whose messages are JSON, and its client: no descriptors and nothing generated.
//! gRPC carries it as `application/grpc+json`, Connect as plain JSON, which curl can send.
//!
//! ```text
//! cargo run --features json --example json_service            # the calls below, both ways
//! cargo run --features json --example json_service -- serve   # for calls from elsewhere
//! curl -H 'Content-Type: application/json' -d '{"user_id": "user_1"}' \
//!     http://127.0.0.1:8080/users.UserService/get_user
//! ```

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use barewire::app::{
    App, Call, CallEnd, CallStatus, Conversation, Interceptor, ResponseStream, Service,
};
use barewire::client::{CallOptions, Channel, Ending, GrpcChannelOptions};
use barewire::grpc::{Code, Json, Protocol, Status};
use serde::{Deserialize, Serialize};

const NAME: &str = "users.UserService";

// The messages.

#[derive(Debug, Clone, Serialize, Deserialize)]
struct GetUser {
    user_id: String,
    #[serde(default = "yes")]
    include_profile: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct StreamUsers {
    stream_id: String,
    #[serde(default = "ten")]
    batch_size: usize,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct User {
    user_id: String,
    name: String,
    email: String,
    profile_data: Option<Profile>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Profile {
    last_login: String,
    preferences: Preferences,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Preferences {
    theme: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Update {
    user_id: String,
    name: String,
}

/// What was updated, by the users' ids.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Updated {
    batch: Vec<String>,
    message: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Said {
    message: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Echoed {
    echo: String,
    /// Milliseconds since 1970.
    timestamp: u64,
    processed_by: String,
}

const fn yes() -> bool {
    true
}

const fn ten() -> usize {
    10
}

// The service.

fn user(number: usize, include_profile: bool) -> User {
    User {
        user_id: format!("user_{number}"),
        name: format!("User {number}"),
        email: format!("user_{number}@example.com"),
        profile_data: include_profile.then(|| Profile {
            last_login: "2026-01-01T00:00:00Z".into(),
            preferences: Preferences {
                theme: "dark".into(),
            },
        }),
    }
}

fn find(request: &GetUser) -> Result<User, CallStatus> {
    let known = (1..=3).find(|number| request.user_id == format!("user_{number}"));
    let number = known.ok_or_else(|| {
        let message = format!("no user {:?}", request.user_id);
        CallStatus::from(Status::new(Code::NotFound, message))
    })?;
    Ok(user(number, request.include_profile))
}

/// The updates of one call, which are answered once there are no more.
#[derive(Default)]
struct Updates(Vec<String>);

impl Conversation for Updates {
    type Request = Json<Update>;
    type Response = Json<Updated>;

    fn message(
        &mut self,
        Json(update): Json<Update>,
        _: &mut ResponseStream<'_, '_, Self::Response>,
    ) {
        self.0.push(update.user_id);
    }

    fn half_closed(&mut self, stream: &mut ResponseStream<'_, '_, Self::Response>) {
        stream.respond(&Json(Updated {
            message: format!("Processed {} users", self.0.len()),
            batch: std::mem::take(&mut self.0),
        }));
    }
}

/// Gives each message back.
struct Chat;

impl Conversation for Chat {
    type Request = Json<Said>;
    type Response = Json<Echoed>;

    fn message(
        &mut self,
        Json(said): Json<Said>,
        stream: &mut ResponseStream<'_, '_, Self::Response>,
    ) {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        stream.send(&Json(Echoed {
            echo: said.message,
            timestamp: since.unwrap_or_default().as_millis() as u64,
            processed_by: NAME.into(),
        }));
    }

    fn half_closed(&mut self, stream: &mut ResponseStream<'_, '_, Self::Response>) {
        stream.finish(Status::OK);
    }
}

/// How often its methods were called.
#[derive(Default)]
struct ServiceMetrics {
    unary: AtomicU64,
    streaming: AtomicU64,
}

fn service(metrics: &Arc<ServiceMetrics>) -> Service {
    let [unary, users, updates, chats] = [(); 4].map(|()| metrics.clone());
    Service::new(NAME)
        .unary(
            "get_user",
            move |Json(request): Json<GetUser>, _: &mut Call<'_>| {
                unary.unary.fetch_add(1, Relaxed);
                find(&request).map(Json)
            },
        )
        // curl and browsers may ask for it by GET.
        .no_side_effects("get_user")
        .server_streaming(
            "get_users_stream",
            move |Json(request): Json<StreamUsers>, call: &mut Call<'_>| {
                users.streaming.fetch_add(1, Relaxed);
                // It is for a client that has several streams.
                call.send_metadata("stream-id", &request.stream_id)
                    .map_err(|error| Status::new(Code::InvalidArgument, error.to_string()))?;
                let all = (1..=3).take(request.batch_size);
                Ok(all.map(|number| Ok(Json(user(number, true)))))
            },
        )
        .client_streaming("update_users", move |_call| {
            updates.streaming.fetch_add(1, Relaxed);
            Ok(Updates::default())
        })
        .bidirectional("chat", move |_call| {
            chats.streaming.fetch_add(1, Relaxed);
            Ok(Chat)
        })
}

// Metrics: sums, so that they take the same room after a year.

#[derive(Default)]
struct Metrics {
    successful: AtomicU64,
    failed: AtomicU64,
    nanoseconds: AtomicU64,
}

impl Metrics {
    fn add(&self, code: Code, took: Duration) {
        let outcome = match code {
            Code::Ok => &self.successful,
            _ => &self.failed,
        };
        outcome.fetch_add(1, Relaxed);
        self.nanoseconds.fetch_add(took.as_nanos() as u64, Relaxed);
    }

    fn print(&self, whose: &str) {
        let successful = self.successful.load(Relaxed);
        let failed = self.failed.load(Relaxed);
        let total = successful + failed;
        let average = Duration::from_nanos(self.nanoseconds.load(Relaxed) / total.max(1));
        println!(
            "{whose}: {total} calls, {successful} successful, {failed} failed, {average:?} on average"
        );
    }
}

/// Counts each call, and says on whose behalf it came.
struct Counting(Arc<Metrics>);

impl Interceptor for Counting {
    fn before(&self, call: &mut Call<'_>) -> Result<(), CallStatus> {
        let id = call.metadata("x-request-id").unwrap_or("none");
        call.send_metadata("x-request-id", id)
            .map_err(|error| Status::new(Code::InvalidArgument, error.to_string()).into())
    }

    fn after(&self, ended: &mut CallEnd<'_>) {
        self.0.add(ended.status().code, ended.elapsed());
    }
}

// The client.

struct Client {
    channel: Channel,
    metrics: Metrics,
}

impl Client {
    fn new(target: &str, protocol: Protocol) -> Result<Self, barewire::net::Error> {
        let options = GrpcChannelOptions::new().protocol(protocol);
        Ok(Self {
            channel: Channel::connect_with(target, options)?,
            metrics: Metrics::default(),
        })
    }

    /// Makes a call, and counts it.
    fn count<T>(
        &self,
        call: impl FnOnce(&Channel, CallOptions) -> Result<T, Ending>,
    ) -> Result<T, Ending> {
        let options = CallOptions::new()
            .timeout(Duration::from_secs(5))
            .metadata("x-request-id", "example");
        let since = Instant::now();
        let result = call(&self.channel, options);
        let code = result.as_ref().err().map_or(Code::Ok, Ending::code);
        self.metrics.add(code, since.elapsed());
        result
    }

    fn get_user(&self, user_id: &str, include_profile: bool) -> Result<User, Ending> {
        let request = Json(GetUser {
            user_id: user_id.into(),
            include_profile,
        });
        self.count(|channel, options| {
            let path = "/users.UserService/get_user";
            let response = channel.unary::<_, Json<User>>(path, &request, options.http_get())?;
            Ok(response.into_message().0)
        })
    }

    fn get_users(&self, batch_size: usize) -> Result<Vec<User>, Ending> {
        let request = Json(StreamUsers {
            stream_id: "first".into(),
            batch_size,
        });
        self.count(|channel, options| {
            let path = "/users.UserService/get_users_stream";
            let users = channel.server_streaming::<_, Json<User>>(path, &request, options)?;
            users.map(|user| Ok(user?.0)).collect()
        })
    }

    fn update_users(&self, names: &[(&str, &str)]) -> Result<Updated, Ending> {
        self.count(|channel, options| {
            let path = "/users.UserService/update_users";
            let mut updates = channel.client_streaming::<_, Json<Updated>>(path, options)?;
            for (user_id, name) in names {
                let (user_id, name) = ((*user_id).into(), (*name).into());
                updates.send(&Json(Update { user_id, name }))?;
            }
            Ok(updates.finish()?.into_message().0)
        })
    }

    fn chat(&self, messages: &[&str]) -> Result<Vec<Echoed>, Ending> {
        self.count(|channel, options| {
            let path = "/users.UserService/chat";
            let mut chat = channel.bidirectional::<_, Json<Echoed>>(path, options)?;
            let mut echoes = Vec::new();
            for message in messages {
                let message = (*message).into();
                chat.send(&Json(Said { message }))?;
                echoes.extend(chat.receive()?.map(|Json(echoed)| echoed));
            }
            for rest in chat.close_sending() {
                echoes.push(rest?.0);
            }
            Ok(echoes)
        })
    }
}

fn try_all(client: &Client) -> Result<(), Box<dyn Error>> {
    println!("{:?}", client.get_user("user_1", true)?);
    println!("{:?}", client.get_user("user_2", false)?);
    match client.get_user("user_4", true) {
        Err(ending) if ending.code() == Code::NotFound => println!("{ending}"),
        other => return Err(format!("user_4 is {other:?}").into()),
    }
    for user in client.get_users(2)? {
        println!("{user:?}");
    }
    println!(
        "{:?}",
        client.update_users(&[("user_1", "One"), ("user_3", "Three")])?
    );
    for echoed in client.chat(&["hello", "goodbye"])? {
        println!("{echoed:?}");
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let serves = std::env::args().nth(1).as_deref() == Some("serve");
    let of_service = Arc::new(ServiceMetrics::default());
    let of_server = Arc::new(Metrics::default());
    let app = App::new()
        .intercept(Counting(of_server.clone()))
        .grpc(service(&of_service));
    if serves {
        println!("listening on http://127.0.0.1:8080");
        app.listen("127.0.0.1:8080")?.run()?;
        return Ok(());
    }
    let server = app.listen("127.0.0.1:0")?.spawn()?;
    let target = format!("http://{}", server.local_addresses()[0]);
    for protocol in [Protocol::Grpc, Protocol::Connect] {
        println!("\n{protocol:?}");
        let client = Client::new(&target, protocol)?;
        try_all(&client)?;
        client.metrics.print("client");
    }
    server.handle().shutdown(Duration::from_secs(1));
    server.join()?;
    println!();
    of_server.print("server");
    let unary = of_service.unary.load(Relaxed);
    let streaming = of_service.streaming.load(Relaxed);
    let total = unary + streaming;
    println!("service: {total} calls, {unary} unary, {streaming} streaming");
    Ok(())
}
