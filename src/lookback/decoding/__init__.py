"""From a model to a sequence. Every decoder takes any `Autoregressive`.

    sample   draws each symbol (temperature, top-k, nucleus)
    greedy   takes the likeliest symbol each time
    beam     keeps the `width` likeliest prefixes
    exact    finds the likeliest sequence, or says that it could not prove it

They take the same arguments (see `Task`) and return a list with one `Hypothesis` for
each row of the batch. Log-probabilities are in nats and are the model's own: neither
temperature nor a ban on ending early changes what a sequence is worth.
"""

from lookback.decoding.beam_search import beam
from lookback.decoding.exact_search import exact
from lookback.decoding.hypotheses import Found, Hypothesis, Node, gnmt, plain, power
from lookback.decoding.sampling import greedy, sample

__all__ = [
    "Found", "Hypothesis", "Node", "beam", "exact", "gnmt", "greedy", "plain", "power",
    "sample",
]  # fmt: skip
