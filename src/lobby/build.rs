//! Says that the program has to be built again when its page was.

fn main() {
    println!("cargo::rerun-if-changed=page/dist");
}
