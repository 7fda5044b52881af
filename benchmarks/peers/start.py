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

    def import_and_train():
        import_rec_lib()
        import torch

        from rec_lib.data import movielens, views
        from rec_lib.models import LR
        from rec_lib.training import fit

        table = views.ctr(movielens.load("ml-100k"))
        model = LR(table.schema)
        fit(model, table, optimizers=[torch.optim.Adam(model.parameters(), lr=0.01)], epochs=1, progress=False)

    runs = {"import torch": import_torch, "import rec_lib": import_rec_lib, "import and train LR": import_and_train}
    return {"run": runs[spec["case"]]}


if __name__ == "__main__":
    serve(start)
