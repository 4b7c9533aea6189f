"""pandas: a table of 20,000 rows made, grouped, joined, and a Python function applied to each row."""

import pandas


def label(row: pandas.Series) -> str:
    return f"{row['city']}:{'large' if row['amount'] > 500 else 'small'}"


def main() -> None:
    n = 20_000
    frame = pandas.DataFrame(
        {
            "city": [f"city {i % 40}" for i in range(n)],
            "amount": [(i * 7919) % 1000 for i in range(n)],
            "day": [i % 365 for i in range(n)],
        }
    )
    grouped = frame.groupby(["city", "day"]).agg({"amount": ["sum", "mean"]})
    small = frame.head(4000).copy()
    small["label"] = small.apply(label, axis=1)
    counts = small.groupby("label").size().sort_values()
    joined = small.merge(counts.rename("n").reset_index(), on="label")
    print(len(grouped), len(joined), joined["n"].sum())


if __name__ == "__main__":
    main()
