//! Writes the code of `protos/`.

fn main() -> Result<(), barewire::codegen::Error> {
    barewire::codegen::Builder::new().descriptors(true).compile(
        &["protos/greet/greeter.proto", "protos/plain.proto"],
        &["protos"],
    )
}
