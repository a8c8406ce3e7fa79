//! GraphQL over all its transports: users, their posts, and what is posted.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use async_graphql::{Context, ID, InputObject, Object, Schema, SimpleObject, Subscription};
use barewire::app::{App, AsyncGraphQl, GraphQl, Sleep, Spawner};
use barewire::graphql::Limits;
use futures_core::Stream;

use super::timestamp;

pub(crate) fn routes(app: App, origins: &[String]) -> App {
    let schema = Schema::build(Query, Mutation, Events)
        .data(Store::default())
        .limit_depth(20)
        .limit_complexity(1_000)
        .finish();
    let route = GraphQl::new(AsyncGraphQl(schema))
        .limits(Limits::DEFAULT.with_batch(10))
        .origins(origins.iter().cloned());
    app.graphql("/graphql", route)
}

/// Posts that are kept: the oldest give way.
const POSTS: usize = 1_000;
/// Posts that wait for one subscriber; one that is slower misses some.
const WAITING: usize = 64;

/// The people who may post.
const NAMES: [(&str, &str); 2] = [("1", "Ada Lovelace"), ("2", "Alan Turing")];

/// All posts, and who listens for the next.
#[derive(Clone, Default)]
struct Store(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    posts: VecDeque<Post>,
    count: u64,
    listeners: Vec<std::sync::Weak<Mutex<Mailbox>>>,
}

/// What one subscriber has not been sent.
#[derive(Default)]
struct Mailbox {
    posts: VecDeque<Post>,
    waker: Option<Waker>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Store {
    fn add(&self, input: CreatePost) -> Post {
        let mut state = lock(&self.0);
        state.count += 1;
        let post = Post {
            id: ID(state.count.to_string()),
            title: input.title,
            content: input.content,
            created_at: timestamp::now(),
            author: User(0),
        };
        if state.posts.len() == POSTS {
            state.posts.pop_front();
        }
        state.posts.push_back(post.clone());
        let listeners = state.listeners.iter().filter_map(|it| it.upgrade());
        let listeners: Vec<_> = listeners.collect();
        drop(state);
        for mailbox in listeners {
            let mut mailbox = lock(&mailbox);
            if mailbox.posts.len() < WAITING {
                mailbox.posts.push_back(post.clone());
            }
            if let Some(waker) = mailbox.waker.take() {
                waker.wake();
            }
        }
        post
    }

    fn listen(&self) -> Posted {
        let mailbox = Arc::new(Mutex::new(Mailbox::default()));
        let mut state = lock(&self.0);
        state.listeners.retain(|it| it.strong_count() > 0);
        state.listeners.push(Arc::downgrade(&mailbox));
        Posted(mailbox)
    }
}

/// Posts as they are made.
struct Posted(Arc<Mutex<Mailbox>>);

impl Stream for Posted {
    type Item = Post;

    fn poll_next(self: Pin<&mut Self>, context: &mut std::task::Context<'_>) -> Poll<Option<Post>> {
        let mut mailbox = lock(&self.0);
        match mailbox.posts.pop_front() {
            Some(post) => Poll::Ready(Some(post)),
            None => {
                mailbox.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

/// A person, by the place in [`NAMES`].
#[derive(Clone, Copy)]
struct User(usize);

#[Object]
impl User {
    async fn id(&self) -> ID {
        ID(NAMES[self.0].0.into())
    }

    async fn name(&self) -> &str {
        NAMES[self.0].1
    }

    async fn email(&self) -> String {
        let first = NAMES[self.0].1.split(' ').next().unwrap_or_default();
        format!("{}@example.com", first.to_lowercase())
    }

    /// The newest posts, the latest first.
    async fn posts(&self, context: &Context<'_>) -> Vec<Post> {
        let store = context.data_unchecked::<Store>();
        let state = lock(&store.0);
        let own = state.posts.iter().rev().filter(|it| it.author.0 == self.0);
        own.take(20).cloned().collect()
    }
}

#[derive(Clone, SimpleObject)]
struct Post {
    id: ID,
    title: String,
    content: String,
    created_at: String,
    author: User,
}

#[derive(InputObject)]
struct CreatePost {
    #[graphql(validator(min_length = 1, max_length = 200))]
    title: String,
    #[graphql(validator(max_length = 10_000))]
    content: String,
}

struct Query;

#[Object]
impl Query {
    async fn user(&self, id: ID) -> Option<User> {
        NAMES.iter().position(|it| it.0 == id.0).map(User)
    }

    async fn users(&self) -> Vec<User> {
        (0..NAMES.len()).map(User).collect()
    }
}

struct Mutation;

#[Object]
impl Mutation {
    async fn create_post(&self, context: &Context<'_>, input: CreatePost) -> Post {
        context.data_unchecked::<Store>().add(input)
    }
}

struct Events;

#[Subscription]
impl Events {
    async fn post_created(&self, context: &Context<'_>) -> impl Stream<Item = Post> {
        context.data_unchecked::<Store>().listen()
    }

    /// Counts down to 0, a second each.
    async fn countdown(
        &self,
        context: &Context<'_>,
        #[graphql(validator(minimum = 0, maximum = 100))] from: u8,
    ) -> async_graphql::Result<impl Stream<Item = u8>> {
        let spawner = context.data::<Spawner>()?.clone();
        Ok(Countdown {
            left: Some(from),
            sleep: None,
            spawner,
        })
    }
}

struct Countdown {
    left: Option<u8>,
    sleep: Option<Pin<Box<Sleep>>>,
    spawner: Spawner,
}

impl Stream for Countdown {
    type Item = u8;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> Poll<Option<u8>> {
        if let Some(sleep) = &mut self.sleep
            && sleep.as_mut().poll(context).is_pending()
        {
            return Poll::Pending;
        }
        let next = self.left;
        self.left = next.and_then(|left| left.checked_sub(1));
        let sleep = self.spawner.sleep(Duration::from_secs(1));
        self.sleep = self.left.is_some().then(|| Box::pin(sleep));
        Poll::Ready(next)
    }
}
