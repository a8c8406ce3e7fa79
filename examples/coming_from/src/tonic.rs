//! A service with a stream, and a call, with tonic.

use tokio_stream::Iter;
use tonic::transport::Server;
use tonic::{Code, Request, Response, Status};

use greeter_client::GreeterClient;
use greeter_server::{Greeter, GreeterServer};

tonic::include_proto!("guide.Greeter");

#[derive(Clone, PartialEq, prost::Message)]
pub struct HelloRequest {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(uint32, tag = "2")]
    pub times: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct HelloReply {
    #[prost(string, tag = "1")]
    pub message: String,
}

fn hello(name: &str) -> HelloReply {
    let message = format!("Hello, {name}!");
    HelloReply { message }
}

pub struct Greetings;

#[tonic::async_trait]
impl Greeter for Greetings {
    async fn say_hello(
        &self,
        request: Request<HelloRequest>,
    ) -> Result<Response<HelloReply>, Status> {
        let request = request.into_inner();
        if request.name.is_empty() {
            return Err(Status::new(Code::InvalidArgument, "whom?"));
        }
        Ok(Response::new(hello(&request.name)))
    }

    type SayHellosStream = Iter<std::vec::IntoIter<Result<HelloReply, Status>>>;

    async fn say_hellos(
        &self,
        request: Request<HelloRequest>,
    ) -> Result<Response<Self::SayHellosStream>, Status> {
        let request = request.into_inner();
        let all = (0..request.times.min(10)).map(|_| Ok(hello(&request.name)));
        Ok(Response::new(tokio_stream::iter(all.collect::<Vec<_>>())))
    }
}

#[tokio::main]
pub async fn server() -> Result<(), tonic::transport::Error> {
    Server::builder()
        .add_service(GreeterServer::new(Greetings))
        .serve(([127, 0, 0, 1], 8080).into())
        .await
}

pub async fn call(url: String) -> Result<String, Box<dyn std::error::Error>> {
    let mut client = GreeterClient::connect(url).await?;
    let name = "Ann".into();
    let request = Request::new(HelloRequest { name, times: 1 });
    let reply = client.say_hello(request).await?;
    Ok(reply.into_inner().message)
}
