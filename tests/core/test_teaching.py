"""Labels teach tasks: few move little, many find the truth, and a key that says false things is not believed."""

import numpy as np
import pytest

from core._representation_np import I32
from core.representation import SIZE, SUMS
from core.teaching import NOTHING_TAUGHT, USUAL_NOISE, Labels, chances, losses, noise_of_sources, teach

USUAL = np.array([USUAL_NOISE])
SHIFT = 3  # the deployment calls the next task but two what the wording calls a task, where byte 30 is high


def labels(count: int, seed: int = 1, source: int = 0) -> Labels:
    """Prompts whose wording says one of ten tasks; where their structure has a mark they are of another one."""
    rng = np.random.default_rng(seed)
    said, marked = rng.integers(0, SUMS, count), rng.random(count) < 0.5
    written = rng.integers(-3, 4, (count, SIZE)).astype(np.int8)
    written[np.arange(count), 1 + said] += 40
    written[:, 30] = np.where(marked, 64, 0)
    tasks = np.where(marked & (said == 0), SHIFT, said)
    return Labels(written, tasks, np.full(count, source), np.ones(count))


def both(one: Labels, other: Labels) -> Labels:
    return Labels(
        np.concatenate([one.representations, other.representations]),
        np.concatenate([one.tasks, other.tasks]),
        np.concatenate([one.sources, other.sources]),
        np.concatenate([one.weights, other.weights]),
    )


def accuracy(weights: I32) -> float:
    test = labels(1_000, seed=99)
    return float((chances(test.representations, weights).argmax(axis=1) == test.tasks).mean())


def test_labels_find_what_the_deployment_means_by_a_task() -> None:
    assert accuracy(NOTHING_TAUGHT) < 0.96
    assert accuracy(teach(labels(400), USUAL)) > 0.98


def test_a_handful_of_labels_moves_little() -> None:
    few, many = (np.abs(teach(labels(count), USUAL)).max() for count in (3, 300))
    assert few < many / 3


def test_nothing_teaches_nothing() -> None:
    assert noise_of_sources(labels(0)).size == 0
    assert (teach(labels(0), USUAL) == 0).all()
    assert losses(labels(0), NOTHING_TAUGHT, USUAL).size == 0


def test_a_key_that_says_false_things_is_found_out_and_not_believed() -> None:
    liar = labels(150, seed=5, source=2)._replace(tasks=np.full(150, 7))
    told = both(both(labels(200), labels(200, seed=2, source=1)), liar)
    noise = noise_of_sources(told)
    assert max(noise[:2]) < 0.2 < 0.7 < noise[2]
    assert accuracy(teach(told, noise)) > 0.95


def test_a_key_alone_is_believed_and_so_is_one_that_says_little() -> None:
    alone = labels(100)
    assert noise_of_sources(alone) == pytest.approx([USUAL_NOISE])
    assert noise_of_sources(both(alone, labels(4, source=1)))[1] == USUAL_NOISE


def test_what_was_learned_from_one_part_saves_log_loss_on_another() -> None:
    later = labels(300, seed=2)
    saved = losses(later, NOTHING_TAUGHT, USUAL) - losses(later, teach(labels(400), USUAL), USUAL)
    assert saved.mean() > 0.05
    assert losses(later._replace(sources=later.sources + 4), NOTHING_TAUGHT, USUAL) == pytest.approx(
        losses(later, NOTHING_TAUGHT, USUAL)
    )
