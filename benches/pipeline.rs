//! `cargo bench`: the whole way of a request through the library, on this machine's own instructions. What it costs in a Worker says
//! `npm run bench`.

#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what is measured has to be there")]
#[path = "../tests/pipeline/scene.rs"]
mod scene;

use criterion::{Criterion, criterion_group, criterion_main};
use scene::Scene;

fn pipeline(criterion: &mut Criterion) {
    let mut scene = Scene::new();
    for case in scene.cases() {
        criterion.bench_function(case.name, |bencher| bencher.iter(|| scene.ask(&case)));
    }
}

criterion_group!(benches, pipeline);
criterion_main!(benches);
