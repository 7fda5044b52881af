"""One way to begin, in a process of its own: spec {"case"}, turn run."""

from importlib import import_module

from turns import serve


def start(spec, arrays):
    def import_torch():
        import torch

        torch.set_num_threads(1)

    def import_rec_lib():
        import_torch()
        for room in ("data", "models", "training"):
            import_module(f"rec_lib.{room}")

    def train(table):
        import torch

        from rec_lib.models import LR
        from rec_lib.training import fit

        model = LR(table.schema)
        fit(model, table, optimizers=[torch.optim.Adam(model.parameters(), lr=0.01)], epochs=1, progress=False)

    def train_on_given_rows():
        import_rec_lib()
        import torch

        from rec_lib.data.table import Table
        from rec_lib.schema import Schema, Sparse

        schema = Schema((Sparse("user", 1000), Sparse("item", 1000)))
        ids = {name: torch.arange(2, 80_002) % 998 + 2 for name in ("user", "item")}
        train(Table(schema, ids | {"label": (torch.arange(80_000) % 2).float()}))

    def train_on_movielens():
        import_rec_lib()
        from rec_lib.data import movielens, views

        train(views.ctr(movielens.load("ml-100k")))

    runs = {
        "import torch": import_torch,
        "import rec_lib": import_rec_lib,
        "import and train LR": train_on_given_rows,
        "import, load MovieLens-100K and train LR": train_on_movielens,
    }
    return {"run": runs[spec["case"]]}


if __name__ == "__main__":
    serve(start)
