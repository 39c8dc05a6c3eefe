import json
import warnings

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from explorer.checkpoints import load
from explorer.errors import CheckpointUnreadable, ConfigurationError, DataNotFound, ExplorerError, InvalidInput
from explorer.import_classifier import main
from explorer.models import build_model
from explorer.models.adopting import adopted
from explorer.studies.bounds import Settings, study_bounds
from explorer.studies.classifiers import open_classifier
from explorer.studies.importing import ImportSettings, import_classifier
from tests.models.test_published_classifiers import Normalised, Wide
from tests.onnx_writer import linear, model, node

SETTINGS = ImportSettings("digits", limit=64)
LENET = {"widths": [2, 3], "hidden_units": [8, 6]}


def logits_of_digits(**changes):
    """An ONNX file with ten logits of 28×28 pixels."""
    tensors = {"w": torch.randn(10, 784, generator=torch.Generator().manual_seed(0)), "b": torch.zeros(10)}
    nodes = [node("Flatten", ["x"], ["f"]), node("Gemm", ["f", "w", "b"], ["y"], transB=1)]
    return model(changes.pop("nodes", nodes), tensors, {"x": (None, 1, 28, 28)}, **changes)


@pytest.fixture
def file(tmp_path):
    (tmp_path / "mine.onnx").write_bytes(logits_of_digits())
    return tmp_path / "mine.onnx"


def saved(tmp_path, network, rename=lambda name: name):
    save_file({rename(name): value.contiguous() for name, value in network.state_dict().items()}, tmp_path / "mine.safetensors")
    return tmp_path / "mine.safetensors"


def lenet():
    torch.manual_seed(0)
    return build_model("lenet5", LENET).eval()


def test_an_imported_network_is_a_checkpoint_like_any_other(file, tmp_path):
    imported = import_classifier(file, SETTINGS)
    imported.save(tmp_path / "made.safetensors")
    opened = open_classifier(tmp_path / "made.safetensors")
    image = opened.images.images[:1]
    assert torch.equal(opened.logits(image), imported.model(image)) and opened.imported == "mine.onnx"
    study = study_bounds(opened.model, image, 3, Settings(0.01, ("ibp",), steps=2))
    assert (study.methods["ibp"].lower <= study.attack.margins + 1e-4).all()


def test_its_accuracy_is_measured_and_chance_is_said(file):
    imported = import_classifier(file, SETTINGS)
    images = open_images()
    share = float((imported.model(images.images[:64]).argmax(1) == images.labels[:64]).float().mean())
    assert imported.header.metrics == {"clean_first_64": pytest.approx(share)}
    assert any("by chance" in note for note in imported.notes) == (share < 0.15)


def open_images():
    from explorer.data import load_dataset

    return load_dataset("digits", "test")


def test_class_names_of_its_own_are_shown(file, tmp_path):
    names = tuple("abcdefghij")
    import_classifier(file, ImportSettings("digits", class_names=names, limit=10)).save(tmp_path / "made.safetensors")
    assert open_classifier(tmp_path / "made.safetensors").class_names == names


def test_normalisation_of_tensors_is_part_of_the_model(tmp_path):
    network = lenet()
    imported = import_classifier(saved(tmp_path, network), ImportSettings("digits", architecture="lenet5", configuration=json.dumps(LENET), mean=(0.2,), std=(0.5,), limit=10))
    x = torch.rand(2, 1, 28, 28)
    assert torch.allclose(imported.model(x), network((x - 0.2) / 0.5), atol=1e-5)


@pytest.mark.parametrize("rename", [lambda name: f"module.{name}", lambda name: f"net.{name[::-1]}"], ids=["prefix", "foreign names"])
def test_tensors_are_told_by_prefix_or_by_shapes_that_are_all_different(tmp_path, rename):
    network = lenet()
    imported = import_classifier(saved(tmp_path, network, rename), ImportSettings("digits", architecture="lenet5", configuration=json.dumps(LENET), limit=10))
    x = torch.rand(2, 1, 28, 28)
    assert torch.equal(imported.model(x), network(x))


def test_tensors_of_equal_shapes_under_foreign_names_are_refused():
    expected = {"a": torch.zeros(3), "b": torch.zeros(3)}
    with pytest.raises(InvalidInput, match="missing a, b; unexpected c, d"):
        adopted(expected, {"c": torch.zeros(3), "d": torch.zeros(3)}, "lenet5")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"head.0.weight": torch.zeros(8, 74)}, r"head.0.weight has shape \(8, 74\), expected \(8, 75\)"),
        ({"head.0.bias": torch.full((8,), torch.nan)}, "NaN"),
        ({"head.0.bias": torch.zeros(8, dtype=torch.int64)}, "expected floats"),
    ],
)
def test_tensors_that_do_not_fit_are_one_clear_error(tmp_path, change, says):
    save_file({**lenet().state_dict(), **change}, tmp_path / "odd.safetensors")
    with pytest.raises(InvalidInput, match=says):
        import_classifier(tmp_path / "odd.safetensors", ImportSettings("digits", architecture="lenet5", configuration=json.dumps(LENET)))


WRONG = {
    "probabilities": (lambda: logits_of_digits(nodes=[node("Flatten", ["x"], ["f"]), node("Gemm", ["f", "w", "b"], ["l"], transB=1), node("Softmax", ["l"], ["y"])]), "answers with probabilities"),
    "other classes": (lambda: model([node("Flatten", ["x"], ["y"])], inputs={"x": (None, 1, 28, 28)}), "784 classes, 'digits' has 10"),
    "another image size": (linear, "takes any × 1 × 4 × 4"),
    "NaN": (lambda: logits_of_digits(nodes=[node("Sub", ["x", "x"], ["z"]), node("Div", ["z", "z"], ["n"]), node("Flatten", ["n"], ["f"]), node("Gemm", ["f", "w", "b"], ["y"], transB=1)]), "NaN"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_network_that_is_no_classifier_of_these_images_is_one_clear_error(tmp_path, name):
    content, says = WRONG[name]
    (tmp_path / "odd.onnx").write_bytes(content())
    with pytest.raises(InvalidInput, match=f"^odd.onnx: .*{says}"):
        import_classifier(tmp_path / "odd.onnx", SETTINGS)


def test_a_softmax_can_be_taken_off(tmp_path):
    (tmp_path / "odd.onnx").write_bytes(WRONG["probabilities"][0]())
    assert import_classifier(tmp_path / "odd.onnx", ImportSettings("digits", cut_softmax=True, limit=10)).model(torch.rand(1, 1, 28, 28)).min() < 0


def test_a_network_without_gradients_is_said_to_mislead(tmp_path):
    nodes = [node("Floor", ["x"], ["s"]), node("Flatten", ["s"], ["f"]), node("Gemm", ["f", "w", "b"], ["y"], transB=1)]
    (tmp_path / "flat.onnx").write_bytes(logits_of_digits(nodes=nodes))
    assert any("gradient vanishes" in note for note in import_classifier(tmp_path / "flat.onnx", SETTINGS).notes)


@pytest.mark.parametrize(("name", "content"), [("a.pt2", b"PK\x03\x04"), ("a.pth", b"\x80\x02"), ("a.safetensors", b"PK\x03\x04 torch.save"), ("a.pkl", b"x")])
def test_files_that_can_carry_code_are_not_opened(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CheckpointUnreadable, match="carry code.*torch.onnx.export"):
        import_classifier(tmp_path / name, ImportSettings("digits", architecture="lenet5" if "safe" in name else ""))


@pytest.mark.parametrize("name", ["cut.onnx", "cut.safetensors"])
def test_a_truncated_file_is_one_clear_error(tmp_path, name, file):
    content = file.read_bytes() if name.endswith("onnx") else saved(tmp_path, lenet()).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(CheckpointUnreadable, match="truncated"):
        import_classifier(tmp_path / name, ImportSettings("digits", architecture="" if name.endswith("onnx") else "lenet5"))


def test_the_command_reads_what_torch_saved_of_a_published_network(tmp_path, capsys):
    network = nn.Sequential(Normalised((0.5, 0.4, 0.3), (0.2, 0.2, 0.2)), Wide())
    optimizer = {"param_groups": [{"lr": np.float64(0.1)}]}
    torch.save({"epoch": 3, "state_dict": {f"module.{name}": value for name, value in network.state_dict().items()}, "optimizer": optimizer}, tmp_path / "wide.pth.tar")
    to = tmp_path / "wide.safetensors"
    classes = [str(number) for number in range(8)]
    assert main([str(tmp_path / "wide.pth.tar"), "--dataset", "scenes", "--limit", "16", "--to", str(to)]) == 1
    assert "knows 10 classes, 'scenes' has 8" in capsys.readouterr().err and not to.exists()
    network[1].fc = nn.Linear(16, 8)
    torch.save(network.state_dict(), tmp_path / "wide.pth")
    assert main([str(tmp_path / "wide.pth"), "--dataset", "scenes", "--limit", "16", "--class-names", ",".join(classes), "--to", str(to)]) == 0
    opened, images = load(to), torch.rand(2, 3, 32, 32)
    assert opened.header.model == "wide_resnet" and opened.header.model_config["mean"] == [0.5, 0.4, 0.3]
    with torch.no_grad():
        assert torch.allclose(opened.model(images), network.eval()(images), atol=1e-4)
    assert "Recognised as a published 'wide_resnet'" in capsys.readouterr().err


def test_a_configuration_that_the_tensors_contradict_is_refused(tmp_path):
    network = Wide()
    network.fc = nn.Linear(16, 8)
    torch.save(network.state_dict(), tmp_path / "wide.pth")
    with pytest.raises(InvalidInput, match="has shape"):
        import_classifier(tmp_path / "wide.pth", ImportSettings("scenes", architecture="wide_resnet", configuration='{"widths": [8, 12, 12]}'), pickled=True)


class Code:
    def __reduce__(self):
        return print, ("never",)


def test_the_command_runs_nothing_that_a_file_carries(tmp_path, capsys):
    for number, content in enumerate(({"state_dict": {"a": Code()}}, Code(), torch.nn.Linear(2, 2))):
        torch.save(content, tmp_path / f"{number}.pth")
        assert main([str(tmp_path / f"{number}.pth"), "--dataset", "digits"]) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is deprecated, and files of it exist
        torch.jit.script(torch.nn.Linear(2, 2)).save(tmp_path / "script.pt")
    assert main([str(tmp_path / "script.pt"), "--dataset", "digits"]) == 1
    said = capsys.readouterr()
    assert "never" not in said.out and said.err.count("nothing else is opened") == 4 and "asks for print" in said.err.replace("builtins.", "")


def test_tensors_need_an_architecture(tmp_path):
    with pytest.raises(InvalidInput, match="give the architecture, one of .*lenet5"):
        import_classifier(saved(tmp_path, lenet()), SETTINGS)


def test_a_data_set_that_is_not_here_is_told(file, tmp_path):
    with pytest.raises(DataNotFound):
        import_classifier(file, ImportSettings("fashion_mnist"), root=tmp_path)


def test_all_problems_of_the_settings_are_told_at_once():
    with pytest.raises(ConfigurationError) as caught:
        ImportSettings("mnits", mean=(0.1,), architecture="lenet", radius=-1.0, configuration="[")
    assert len(caught.value.problems) == 5


def test_the_command_writes_a_checkpoint_once(file, tmp_path, capsys):
    arguments = [str(file), "--dataset", "digits", "--limit", "32", "--to", str(tmp_path / "out.safetensors")]
    assert main(arguments) == 0 and load(tmp_path / "out.safetensors").header.model == "onnx_graph"
    assert main(arguments) == 1 and "there already" in capsys.readouterr().err
    assert main([*arguments, "--replace"]) == 0


def test_the_commands_checkpoint_is_found_by_every_page(file):
    from explorer.ui.library import find_checkpoints

    assert main([str(file), "--dataset", "digits", "--limit", "32"]) == 0
    assert "imported/mine" in {each.key for each in find_checkpoints()}


def test_a_checkpoint_whose_lines_were_changed_is_refused(file, tmp_path):
    import_classifier(file, SETTINGS).save(tmp_path / "made.safetensors")
    content = (tmp_path / "made.safetensors").read_bytes()
    for old, new in ((b"Flatten(v0)", b"Flatten(v9)"), (b"Gemm", b"Eval"), (b"float 10x784", b"float 10x7e4")):
        assert len(old) == len(new) and old in content
        (tmp_path / "changed.safetensors").write_bytes(content.replace(old, new))
        with pytest.raises(ExplorerError, match="changed.safetensors"):
            load(tmp_path / "changed.safetensors")
