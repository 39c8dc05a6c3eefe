import pytest

from explorer.data import images_at_hand


def test_a_data_set_that_is_at_hand_comes_without_a_note(tmp_path):
    images, source, note = images_at_hand("digits", tmp_path)
    assert (source.name, note) == ("digits", None) and len(images) == len(source.load("test"))


@pytest.mark.parametrize(("name", "stands_in"), [("fashion_mnist", "digits"), ("cifar10", "scenes"), ("watermarked_mnist", "watermarked_digits"), ("elsewhere", "digits")])
def test_embedded_images_stand_in_and_say_so(tmp_path, name, stands_in):
    images, source, note = images_at_hand(name, tmp_path)
    assert source.name == stands_in and f"{name!r} is not" in note and f"{stands_in!r} stands in" in note
    assert len(images.class_names) == len(source.load("train").class_names)
