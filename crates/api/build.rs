//! Has the page embedded anew when it was built anew: the derive that embeds `ui/dist` sees only files that were there before.

fn main() {
    println!("cargo::rerun-if-changed=../../ui/dist");
}
