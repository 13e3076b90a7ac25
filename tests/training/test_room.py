"""What does not fit into memory is refused before memory is filled."""

import pytest
import torch
from torch import nn

from gansmith.data.dataset import Dataset
from gansmith.errors import UserError, is_out_of_memory
from gansmith.planning import plan as planning
from gansmith.training import room
from gansmith.training.devices import choose_device
from gansmith.training.trainer import Settings, Trainer
from tests import toys


@pytest.mark.parametrize("options", [{"width": 1_000_000}, {"noise": 2**31 - 1}, {"width": 2**31 - 1}])
def test_networks_that_no_memory_holds_are_refused_before_it_is_taken(options):
    data = toys.points()
    with pytest.raises(UserError, match="gan with these options has networks that cannot be trained in the"):
        planning.plan(data, gan="gan", options=options).build(data)


def test_a_tower_of_layers_is_refused_before_it_is_built():
    with pytest.raises(UserError, match="more than 20,000 tensors"), room.networks_that_fit("mine", "cpu"):
        nn.ModuleList(nn.Linear(1, 1) for _ in range(room.TENSORS))


def test_options_that_do_not_fit_each_other_are_a_sentence():
    data = toys.rows()
    with pytest.raises(UserError, match=r"dpgan cannot be built with these --gan options \(num_channels .* must be divisible"):
        planning.plan(data, gan="dpgan", options={**toys.SMALL["dpgan"], "critic_width": 7}).build(data)


def test_private_training_is_rehearsed_too():
    data = toys.rows()
    plan = planning.plan(data, gan="dpgan", options=toys.SMALL["dpgan"], batch=8, threads=1)
    assert len(planning.rehearse(plan, data, 1).moves) == 3


def test_networks_of_a_usual_size_are_built():
    data = toys.points()
    assert planning.plan(data, gan="gan").build(data) is not None


def test_a_batch_that_no_memory_holds_is_refused_before_it_is_drawn():
    data: Dataset = toys.points()
    gan = toys.small("gan", data)
    with pytest.raises(UserError, match="--batch is 2,000,000,000 examples at a time, which alone take"):
        Trainer(gan, data, Settings(batch=2_000_000_000))


def test_errors_about_memory_are_told_from_others():
    with pytest.raises(RuntimeError) as error:
        torch.empty(2**62)
    assert is_out_of_memory(error.value) and is_out_of_memory(MemoryError())
    assert not is_out_of_memory(RuntimeError("shapes cannot be multiplied"))


@pytest.mark.parametrize("device", ["gpu", "", "cpu:1", "cpu:x", "cuda:99", "mps:", "meta", None, 5, "cpu:" + "9" * 5000])
def test_what_is_no_device_here_is_refused(device):
    with pytest.raises(UserError, match="is not available here: choose auto or one of"):
        choose_device(device)


def test_devices_that_are_here_keep_their_names():
    assert choose_device("cpu") == choose_device(torch.device("cpu")) == "cpu" and choose_device("cpu:0") == "cpu:0"
