"""The encoder: formulas, scikit-learn's own scaling, and an exact way through JSON."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import QuantileTransformer, StandardScaler

from fieldcraft.data.columns import roles_of
from fieldcraft.data.dataset import Table
from fieldcraft.data.table_encoder import TableEncoder
from fieldcraft.errors import DataError
from fieldcraft.plan.schema import TableInput


def table(frame: pd.DataFrame) -> Table:
    return Table(frame=frame, roles=roles_of(frame)[0])


def fitted(frame: pd.DataFrame, plan: TableInput = TableInput()) -> TableEncoder:  # noqa: B008
    return TableEncoder.fit(table(frame), np.arange(len(frame)), plan)


def mixed(count: int = 60) -> pd.DataFrame:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": random.integers(18, 90, count).astype(float),
            "colour": random.choice(["red", "green", "blue"], count),
            "seen": pd.date_range("2021-03-01", periods=count, freq="9D").strftime("%Y-%m-%d"),
            "smoker": random.random(count) < 0.3,
        }
    )
    frame.loc[3, "age"] = np.nan
    frame.loc[5, "colour"] = None
    return frame


def test_standard_scaling_is_scikit_learns() -> None:
    frame = pd.DataFrame(np.random.default_rng(0).normal(5, 3, (50, 2)), columns=["a", "b"])
    assert np.allclose(fitted(frame).transform(frame), StandardScaler().fit_transform(frame), atol=1e-6)


def test_quantile_scaling_is_scikit_learns() -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"skewed": random.exponential(size=3000), "ties": random.integers(0, 9, 3000)})
    ours = fitted(frame, TableInput(numeric="quantile")).transform(frame)
    theirs = QuantileTransformer(output_distribution="normal", n_quantiles=1000, subsample=None).fit_transform(frame)
    # scikit-learn sends all ties of the smallest and largest value to its bounds; ours get the middle of their ranks.
    inside = ((frame > frame.min()) & (frame < frame.max())).to_numpy()
    assert np.abs(ours - theirs)[inside].max() < 1e-4
    assert np.abs(ours[:, 1]).max() < 2


def test_missing_numbers_are_the_mean_and_say_so() -> None:
    encoder = fitted(mixed())
    at = encoder.names.index("age")
    assert encoder.names[at + 1] == "age:missing"
    encoded = encoder.transform(mixed())
    assert encoded[3, at] == 0 and encoded[3, at + 1] == 1 and encoded[:, at + 1].sum() == 1
    assert "smoker:missing" not in encoder.names


def test_levels_beyond_the_limit_and_unseen_ones_share_a_column() -> None:
    frame = pd.DataFrame({"city": ["a"] * 6 + ["b"] * 5 + ["c"] * 2 + ["d"] * 1, "x": range(14)})
    encoder = TableEncoder.fit(
        Table(frame=frame, roles=(("city", "categorical"),)), np.arange(14), TableInput(max_levels=2)
    )
    assert encoder.names == ("city=a", "city=b", "city:other")
    new = pd.DataFrame({"city": ["b", "d", "never seen", None]})
    assert encoder.transform(new).tolist() == [[0, 1, 0], [0, 0, 1], [0, 0, 1], [0, 0, 1]]


def test_levels_written_as_1_and_1_point_0_are_one() -> None:
    frame = pd.DataFrame({"code": [1, 2, 1, 2]})
    encoder = TableEncoder.fit(Table(frame=frame, roles=(("code", "categorical"),)), np.arange(4), TableInput())
    for same in ([1.0, 2.0], ["1", "2"], [1, 2]):
        assert encoder.transform(pd.DataFrame({"code": same})).tolist() == [[1, 0, 0], [0, 1, 0]]


def test_dates_become_year_circles_and_days() -> None:
    frame = pd.DataFrame({"d": ["2020-01-06", "2021-04-06", "2022-07-07", "2023-10-01"] * 6, "x": range(24)})
    encoder = TableEncoder.fit(Table(frame=frame, roles=(("d", "date"),)), np.arange(24), TableInput())
    row = dict(zip(encoder.names, encoder.transform(frame)[0], strict=True))
    assert row["d:month-sine"] == pytest.approx(0) and row["d:month-cosine"] == pytest.approx(1)  # January
    assert row["d:weekday-sine"] == pytest.approx(0) and row["d:weekday-cosine"] == pytest.approx(1)  # a Monday
    april = dict(zip(encoder.names, encoder.transform(frame)[1], strict=True))
    assert april["d:month-sine"] == pytest.approx(1) and april["d:weekday-sine"] == pytest.approx(np.sin(2 * np.pi / 7))
    years = np.array([2020, 2021, 2022, 2023])
    assert row["d:year"] == pytest.approx((2020 - years.mean()) / years.std())
    as_dates = frame.assign(d=pd.to_datetime(frame["d"]))
    assert (encoder.transform(as_dates) == encoder.transform(frame)).all()


def test_only_training_rows_are_looked_at() -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0, 1e9], "b": ["x", "y", "x", "z"]})
    roles = (("a", "numeric"), ("b", "categorical"))
    encoder = TableEncoder.fit(Table(frame=frame, roles=roles), np.array([0, 1, 2]), TableInput())
    assert encoder.names == ("a", "b=x", "b=y", "b:other")
    assert encoder.transform(frame)[:3, 0] == pytest.approx([-1.2247449, 0, 1.2247449])


def test_missing_columns_are_listed() -> None:
    with pytest.raises(DataError, match=r"lacks 2 column\(s\).*: age, smoker"):
        fitted(mixed()).transform(mixed().drop(columns=["age", "smoker"]))


def test_further_columns_and_another_order_change_nothing() -> None:
    frame = mixed()
    encoder = fitted(frame)
    other = frame[list(frame.columns[::-1])].assign(more=1)
    assert (encoder.transform(other) == encoder.transform(frame)).all()


def test_no_column_left_is_refused() -> None:
    with pytest.raises(DataError, match="no column is left"):
        fitted(pd.DataFrame({"same": [1, 1, 1]}))


cells = st.one_of(st.none(), st.text(max_size=3), st.sampled_from(["a", "b", "c"]))
numbers = st.one_of(st.none(), st.floats(allow_nan=False, width=32), st.just(float("inf")))


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.tuples(cells, numbers), min_size=3, max_size=30),
    st.sampled_from(["standard", "quantile"]),
    st.integers(2, 5),
)
def test_through_json_and_back_nothing_changes(rows: list[tuple[object, object]], way: str, levels: int) -> None:
    frame = pd.DataFrame(rows, columns=["c", "n"]).astype({"n": "float64"})
    whole = Table(frame=frame, roles=(("c", "categorical"), ("n", "numeric")))
    encoder = TableEncoder.fit(whole, np.arange(len(frame)), TableInput(numeric=way, max_levels=levels))
    back = TableEncoder.from_document(json.loads(json.dumps(encoder.to_document(), allow_nan=False)))
    encoded = encoder.transform(frame)
    assert back == encoder and (back.transform(frame) == encoded).all()
    assert encoded.shape == (len(frame), encoder.width) and encoded.dtype == np.float32 and np.isfinite(encoded).all()
    assert len(encoder.names) == len(encoder.sources) == encoder.width and set(encoder.sources) == {"c", "n"}
    of_category = [place for place, source in enumerate(encoder.sources) if source == "c"]
    assert (encoded[:, of_category].sum(axis=1) == 1).all()


def test_roles_say_what_is_left_out_and_why() -> None:
    count = 40
    frame = pd.DataFrame(
        {
            "patient_id": np.random.default_rng(0).permutation(count) + 1000,
            "row": range(count),
            "name": [f"person {place}" for place in range(count)],
            "same": "x",
            "empty": np.nan,
            "when": [f"{1 + place % 28}.03.2024" for place in range(count)],
            "weight": np.linspace(50, 90, count),
            "kind": ["a", "b"] * (count // 2),
            "written": [f"{place / 7:.4f}" for place in range(count - 1)] + ["none"],
        }
    )
    roles, notes = roles_of(frame)
    assert dict(roles) == {
        "patient_id": "left-out",
        "row": "left-out",
        "name": "left-out",
        "same": "left-out",
        "empty": "left-out",
        "when": "date",
        "weight": "numeric",
        "kind": "categorical",
        "written": "numeric",
    }
    assert len(notes) == 7 and any("'patient_id' is an id" in note for note in notes)
