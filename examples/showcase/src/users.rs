//! A directory of users, as a gRPC service with methods of all four kinds,
//! which browsers can call too.
//!
//! ```text
//! GET /users/{id}   a user, as JSON
//! /ws/users         {"id": "1"} is answered with that user
//! ```

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use barewire::app::{
    self, App, CallStatus, Conversation, Reflection, Refusal, ResponseStream, Service, Socket,
    WebSocket,
};
use barewire::grpc::{Code, Status};
use prost::Message;
use serde_json::{Value, json};

use super::messages::{
    ChatMessage, CreateUserRequest, DeleteUserRequest, DeleteUserResponse, GetUserRequest,
    ListUsersRequest, UpdateUserRequest, UpdateUsersResponse, User,
};
use super::timestamp;

pub(crate) fn routes(app: App, descriptors: &Reflection) -> App {
    let directory = Directory::default();
    directory.fill();
    let [get, list, create, update, updates, delete] = [(); 6].map(|()| directory.clone());
    let service = Service::new(NAME)
        .unary("GetUser", move |request, _call| get.get(&request))
        .server_streaming("ListUsers", move |request, _call| list.list(&request))
        .unary("CreateUser", move |request, _call| create.create(request))
        .unary("UpdateUser", move |request, _call| update.update(request))
        .client_streaming("UpdateUsers", move |_call| {
            Ok(Updates {
                directory: updates.clone(),
                done: UpdateUsersResponse::default(),
            })
        })
        .unary("DeleteUser", move |request, _call| delete.delete(&request))
        .bidirectional("Chat", |_call| Ok(Chat))
        .described_by(descriptors)
        .expect("they have it");
    let socket = directory.clone();
    app.grpc(service)
        .get("/users/{id}", move |request, reply| {
            match directory.json(request.param("id")) {
                Some(user) => reply.json_text(user).ok(),
                None => Err(Refusal::new(barewire::http::Status::NOT_FOUND)),
            }
        })
        .websocket("/ws/users", move |_request| Ok(Asked(socket.clone())))
}

pub(crate) const NAME: &str = "user_service.UserService";

/// A WebSocket that is asked for users.
struct Asked(Directory);

impl WebSocket for Asked {
    fn message(&mut self, socket: &mut Socket<'_, '_>, message: app::Message<'_>) {
        let asked = serde_json::from_slice::<Value>(message.payload()).unwrap_or_default();
        let user = self.0.json(asked["id"].as_str().unwrap_or_default());
        let answer = user.unwrap_or_else(|| json!({"error": "there is no such user"}).to_string());
        socket.send(&*answer);
    }
}

/// Updates of one call.
struct Updates {
    directory: Directory,
    done: UpdateUsersResponse,
}

impl Conversation for Updates {
    type Request = UpdateUserRequest;
    type Response = UpdateUsersResponse;

    fn message(
        &mut self,
        message: UpdateUserRequest,
        _stream: &mut ResponseStream<'_, '_, UpdateUsersResponse>,
    ) {
        match self.directory.update(message) {
            Ok(_) => self.done.processed += 1,
            Err(status) if self.done.failures.len() < FAILURES => {
                self.done.failures.push(status.message.into_owned());
            }
            Err(_) => {}
        }
    }

    fn half_closed(&mut self, stream: &mut ResponseStream<'_, '_, UpdateUsersResponse>) {
        stream.respond(&self.done);
    }
}

/// Gives each message back, with the time and who processed it.
struct Chat;

impl Conversation for Chat {
    type Request = ChatMessage;
    type Response = ChatMessage;

    fn message(
        &mut self,
        mut message: ChatMessage,
        stream: &mut ResponseStream<'_, '_, ChatMessage>,
    ) {
        message.timestamp = timestamp::unix_milliseconds();
        let by = ("processed_by".into(), "UserService".into());
        message.metadata.extend([by]);
        stream.send(&message);
    }

    fn half_closed(&mut self, stream: &mut ResponseStream<'_, '_, ChatMessage>) {
        stream.finish(Status::OK);
    }
}

/// How many failures are told of one stream of updates.
const FAILURES: usize = 100;

/// Users, and the bytes of one, that the directory takes.
const MOST: usize = 10_000;
const LONGEST: usize = 4 << 10;
/// The bytes of all names: a list with a filter looks at each of them.
const NAMES: usize = 4 << 20;

/// How many users a page has unless the client says so.
const PAGE: usize = 10;

/// Characters of an ID that are said back.
const SHOWN: usize = 40;

/// The users, shared by all threads. The lock is never held for long.
#[derive(Clone, Default)]
struct Directory(Arc<Mutex<Users>>);

#[derive(Default)]
struct Users {
    by_number: BTreeMap<u64, Entry>, // in the order in which they came
    by_email: HashMap<String, u64>,
    names: usize, // bytes of all `Entry::name`
    last: u64,
}

struct Entry {
    user: Arc<User>,
    name: Box<str>, // in lower case, as filters look for it
}

impl Directory {
    /// Puts the first users in.
    fn fill(&self) {
        for (name, age, role) in [
            ("Ada Lovelace", 36, "mathematician"),
            ("Grace Hopper", 85, "admiral"),
            ("Alan Turing", 41, "logician"),
        ] {
            let email = format!("{}@example.com", name.to_lowercase().replace(' ', "."));
            let roles = vec![role.to_owned()];
            let user = CreateUserRequest {
                name: name.into(),
                email,
                age,
                roles,
            };
            self.create(user).expect("the directory is empty");
        }
    }

    /// What is short of a user, as JSON.
    fn json(&self, id: &str) -> Option<String> {
        let user = self.get(&GetUserRequest { id: id.into() }).ok()?;
        let User {
            id, name, email, ..
        } = user;
        Some(json!({"id": id, "name": name, "email": email}).to_string())
    }

    fn get(&self, request: &GetUserRequest) -> Result<User, CallStatus> {
        let users = self.lock();
        let number = users.find(&request.id)?;
        Ok(User::clone(&users.by_number[&number].user))
    }

    /// A page of those whose names hold the filter, in any case. Each user is
    /// copied when the client is ready for it.
    fn list(
        &self,
        request: &ListUsersRequest,
    ) -> Result<impl Iterator<Item = Result<User, CallStatus>> + use<>, CallStatus> {
        let size = match usize::try_from(request.page_size) {
            Ok(0) => PAGE,
            Ok(size) => size,
            Err(_) => return Err(invalid("page_size is negative")),
        };
        let start = match &*request.page_token {
            "" => 0,
            token => token
                .parse()
                .map_err(|_| invalid("page_token is not a start index"))?,
        };
        let filter = request.filter.to_lowercase();
        let users = self.lock();
        let matching = users
            .by_number
            .values()
            .filter(|entry| filter.is_empty() || entry.name.contains(&filter))
            .map(|entry| entry.user.clone());
        let page: Vec<Arc<User>> = matching.skip(start).take(size).collect();
        Ok(page.into_iter().map(|user| Ok(User::clone(&user))))
    }

    fn create(&self, request: CreateUserRequest) -> Result<User, CallStatus> {
        let CreateUserRequest {
            name,
            email,
            age,
            roles,
        } = request;
        let mut users = self.lock();
        if users.by_number.len() >= MOST {
            return Err(status(Code::ResourceExhausted, "the directory is full"));
        }
        let number = users.last + 1;
        let user = User {
            id: number.to_string(),
            name,
            email,
            age,
            roles,
        };
        users.put(number, user.clone())?;
        users.last = number;
        Ok(user)
    }

    fn update(&self, request: UpdateUserRequest) -> Result<User, CallStatus> {
        let UpdateUserRequest { id, user } = request;
        let user = user.ok_or_else(|| invalid("user is missing"))?;
        let mut users = self.lock();
        let number = users.find(&id)?;
        let user = User { id, ..user };
        users.put(number, user.clone())?;
        Ok(user)
    }

    fn delete(&self, request: &DeleteUserRequest) -> Result<DeleteUserResponse, CallStatus> {
        let mut users = self.lock();
        let number = users.find(&request.id)?;
        users.remove(number);
        let message = format!("user {} is deleted", request.id);
        Ok(DeleteUserResponse {
            success: true,
            message,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Users> {
        // No change is ever left half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Users {
    /// The number of the user with this id.
    fn find(&self, id: &str) -> Result<u64, CallStatus> {
        if id.is_empty() {
            return Err(invalid("id is empty"));
        }
        let number = id.parse().ok().filter(|number| {
            // "007" is not the id of user 7.
            self.by_number
                .get(number)
                .is_some_and(|entry| entry.user.id == id)
        });
        number.ok_or_else(|| {
            let shown: String = id.chars().take(SHOWN).collect();
            status(Code::NotFound, format!("no user has the id {shown}"))
        })
    }

    /// Stores a user under this number, whose email is nobody else's.
    fn put(&mut self, number: u64, user: User) -> Result<(), CallStatus> {
        if user.name.is_empty() {
            return Err(invalid("name is empty"));
        }
        if user.email.is_empty() {
            return Err(invalid("email is empty"));
        }
        if user.encoded_len() > LONGEST {
            return Err(invalid("the user is too long"));
        }
        if self
            .by_email
            .get(&user.email)
            .is_some_and(|&other| other != number)
        {
            let message = format!("a user has the email {}", user.email);
            return Err(status(Code::AlreadyExists, message));
        }
        let name = user.name.to_lowercase().into_boxed_str();
        let before = self.by_number.get(&number).map_or(0, |it| it.name.len());
        if self.names - before + name.len() > NAMES {
            return Err(status(Code::ResourceExhausted, "the directory is full"));
        }
        self.remove(number);
        self.by_email.insert(user.email.clone(), number);
        self.names += name.len();
        let user = Arc::new(user);
        self.by_number.insert(number, Entry { user, name });
        Ok(())
    }

    fn remove(&mut self, number: u64) {
        if let Some(Entry { user, name }) = self.by_number.remove(&number) {
            self.by_email.remove(&user.email);
            self.names -= name.len();
        }
    }
}

fn invalid(why: &'static str) -> CallStatus {
    status(Code::InvalidArgument, why)
}

fn status(code: Code, why: impl Into<std::borrow::Cow<'static, str>>) -> CallStatus {
    Status::new(code, why.into())
}
