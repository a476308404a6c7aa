//! A program that does nothing: what the others are compared with.

fn main() {
    println!("{}", std::env::args().len());
}
