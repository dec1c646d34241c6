"""A worker that trains nothing: it keeps a run's folder as the real one does, with the real one's own tools, and leaves
its base model behind as what came out. Loads no PyTorch, so that many runs cost little.

    python -m quick_worker SPEC --model FOLDER [what the real one takes]
"""

import shutil
import sys
import time
from pathlib import Path

from backends.events import Metrics, RunState, Usage
from backends.peft_local.folder import RunFolder, taken
from backends.peft_local.manifests import Manifest, described, laid_down
from backends.peft_local.worker.life import Life
from backends.peft_local.worker.telling import Teller
from backends.spec import TrainingSpec

STEPS, STEP_S = 6, 0.05


def main() -> int:
    spec_file, model = Path(sys.argv[1]), Path(sys.argv[sys.argv.index("--model") + 1])
    folder = RunFolder(path=spec_file.parent)
    if taken(folder.lock) is None:
        return 3
    life = Life(folder=folder)
    life.begin()
    life.saves_from_now_on()
    teller = Teller.opened(folder)
    spec = TrainingSpec.model_validate_json(spec_file.read_bytes())
    if spec.labels.get("dies"):
        sys.exit(7)
    teller.change(RunState.RUNNING)
    for step in range(1, STEPS + 1):
        time.sleep(STEP_S)
        if life.asked:
            ends = {"cancel": RunState.CANCELLED}.get(folder.wish(), RunState.QUEUED)
            teller.change(ends, interrupted=ends is RunState.QUEUED)
            return 0
        metrics = Metrics(step=step, total_steps=STEPS, train_loss=2 / step)
        teller.metrics(metrics, usage=Usage(trained_tokens=10 * step))
    laid_down(folder.path / "model", lambda place: _copied(model, place, spec))
    teller.change(RunState.SUCCEEDED)
    life.end()
    return 0


def _copied(model: Path, place: Path, spec: TrainingSpec) -> Manifest:
    shutil.copytree(model, place, dirs_exist_ok=True)
    return Manifest(
        kind="model", step=STEPS, candidate=True, spec_sha256=spec.digest, base=str(model), base_sha256="0" * 64,
        template_sha256="0" * 64, end_of_turn="<|im_end|>", files=described(place),
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
