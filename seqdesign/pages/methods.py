"""A paragraph for the methods section of a paper, from what a manifest says, with the references it names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from seqdesign.objectives.reading import Reading
from seqdesign.reports.html import Page
from seqdesign.runs.manifest import Manifest

REFERENCES = {
    "mueller": "Mueller J, Gifford D, Jaakkola T (2017) Sequence to better sequence: continuous revision of "
    "combinatorial structures. Proceedings of the 34th International Conference on Machine Learning, "
    "2536-2544.",
    "killoran": "Killoran N, Lee LJ, Delong A, Duvenaud D, Frey BJ (2017) Generating and designing DNA with "
    "deep generative models. arXiv:1712.06148.",
    "linder": "Linder J, Seelig G (2021) Fast activation maximization for molecular sequence design. "
    "BMC Bioinformatics 22:510. doi:10.1186/s12859-021-04437-5.",
    "sinai": "Sinai S, Wang R, Whatley A, Slocum S, Locane E, Kelsic ED (2020) AdaLead: a simple and robust "
    "adaptive greedy search algorithm for sequence design. arXiv:2010.02141.",
    "schreiber": "Schreiber J, Lorbeer FK, Heinzl M, Stark A (2025) Programmatic design and editing of "
    "cis-regulatory elements. bioRxiv 2025.04.22.650035.",
    "peterson": "Peterson C, Anderson JR (1987) A mean field theory learning algorithm for neural networks. "
    "Complex Systems 1:995-1019.",
    "shor": "Shor J et al. (2025) NucleoBench and AdaBeam. bioRxiv 2025.06.20.660785.",
    "grathwohl": "Grathwohl W, Swersky K, Hashemi M, Duvenaud D, Maddison CJ (2021) Oops I took a gradient: "
    "scalable sampling for discrete distributions. International Conference on Machine Learning, "
    "arXiv:2102.04509.",
    "kirkpatrick": "Kirkpatrick S, Gelatt CD, Vecchi MP (1983) Optimization by simulated annealing. Science "
    "220:671-680.",
    "angelopoulos": "Angelopoulos AN, Bates S, Fannjiang C, Jordan MI, Zrnic T (2023) Prediction-powered "
    "inference. Science 382:669-674. doi:10.1126/science.adi6000.",
    "gulrajani": "Gulrajani I, Ahmed F, Arjovsky M, Dumoulin V, Courville A (2017) Improved training of "
    "Wasserstein GANs. Advances in Neural Information Processing Systems 30.",
    "zhu": "Zhu JY, Park T, Isola P, Efros AA (2017) Unpaired image-to-image translation using "
    "cycle-consistent adversarial networks. IEEE International Conference on Computer Vision, 2223-2232.",
    "kingma": "Kingma DP, Welling M (2014) Auto-encoding variational Bayes. International Conference on "
    "Learning Representations.",
    "desautels": "Desautels T, Krause A, Burdick JW (2014) Parallelizing exploration-exploitation tradeoffs "
    "in Gaussian process bandit optimization. J Mach Learn Res 15:4053-4103.",
    "otwinowski": "Otwinowski J, McCandlish DM, Plotkin JB (2018) Inferring the shape of global epistasis. "
    "Proceedings of the National Academy of Sciences 115:E7550-E7558. doi:10.1073/pnas.1804015115.",
    "rasmussen": "Rasmussen CE, Williams CKI (2006) Gaussian Processes for Machine Learning. MIT Press.",
    "paszke": "Paszke A, Gross S, Massa F, et al. (2019) PyTorch: an imperative style, high-performance deep "
    "learning library. Advances in Neural Information Processing Systems 32.",
    "sundararajan": "Sundararajan M, Taly A, Yan Q (2017) Axiomatic attribution for deep networks. "
    "Proceedings of the 34th International Conference on Machine Learning, 3319-3328.",
    "shapley": "Shapley LS (1953) A value for n-person games. Contributions to the Theory of Games "
    "2:307-317.",
    "jaspar": "Rauluseviciute I, Riudavets-Puig R, Blanc-Mathieu R, et al. (2024) JASPAR 2024: 20th "
    "anniversary of the open-access database of transcription factor binding profiles. Nucleic Acids "
    "Research 52:D174-D182. doi:10.1093/nar/gkad1059.",
    "allawi": "Allawi HT, SantaLucia J (1997) Thermodynamics and NMR of internal G.T mismatches in DNA. "
    "Biochemistry 36:10581-10594.",
    "bailey": "Bailey TL, Elkan C (1994) Fitting a mixture model by expectation maximization to discover "
    "motifs in biopolymers. Proceedings of the Second International Conference on Intelligent Systems for "
    "Molecular Biology, 28-36.",
    "benjamini": "Benjamini Y, Hochberg Y (1995) Controlling the false discovery rate: a practical and "
    "powerful approach to multiple testing. Journal of the Royal Statistical Society B 57:289-300.",
}  # fmt: skip
"""Short name -> reference."""
DESIGNERS = {
    "mean-field": ("mean-field annealing of letter probabilities along the model's gradient", "peterson"),
    "ada-beam": ("AdaBeam", "shor"),
    "gibbs": ("Gibbs sampling with gradients", "grathwohl"),
    "annealing": ("simulated annealing", "kirkpatrick"),
    "evolution": ("a genetic algorithm that learns which letters are needed", ""),
    "greedy": ("greedy in-silico mutagenesis", ""),
    "taylor": ("hill climbing over substitutions that the gradient ranks", ""),
    "softmax": ("activation maximization of softmax-relaxed letters", "killoran"),
    "fast-seqprop": ("Fast SeqProp", "linder"),
    "adalead": ("AdaLead", "sinai"),
    "ledidi": ("Ledidi", "schreiber"),
    "latent": ("gradient ascent in the latent space of a generator", "killoran"),
}
"""Method of ``maximize`` -> its name in a sentence, and its reference."""
KINDS = {"kernel": "rasmussen", "killoran": "killoran"}
"""Kind of predictor -> its reference."""

Sentence = tuple[str, tuple[str, ...]]
Result = Mapping[str, Any]


def add_methods(page: Page, manifest: Manifest | None, result: Result | None = None) -> None:
    """Add the paragraph of a run to a page; nothing for a command without one.

    result: what the command said at its end, where the manifest does not have it yet.
    """
    if manifest is None:
        return
    said = dict(manifest.result or {}) | dict(result or {})
    write = WRITERS.get(manifest.name)
    if write is None or not said:
        return
    text, cited = write(said, manifest.config)
    names = [*cited, "paszke"]
    page.methods(f"{text} {_circumstances(manifest)}", [REFERENCES[name] for name in names])


def _circumstances(manifest: Manifest) -> str:
    """Versions, seed, device and the input's checksum."""
    versions = manifest.versions
    seed = "" if manifest.seed is None else f" with random seed {manifest.seed}"
    sums = ", ".join(
        f"{name} ({known[:12]})" for name, known in manifest.inputs.items() if "safetensors" not in name
    )
    read = f" Input: {sums}; SHA-256, first 12 digits." if sums else ""
    return (
        f"All steps were run{seed} on {manifest.device} with seqdesign {versions.get('seqdesign', '?')} "
        f"(Python {versions.get('python', '?')}, "
        f"PyTorch {versions.get('torch', '?')}; Paszke et al. 2019).{read}"
    )


def _letters(result: Result) -> str:
    """The alphabet as one writes it in a paper."""
    return name.upper() if (name := str(result["alphabet"])) in ("dna", "rna") else name


def _trained(result: Result) -> str:
    held_out = result.get("num_held_out", result.get("num_test", 0))  # of a GAN
    return f"{result['num_train']:,} {_letters(result)} sequences and tested on {held_out:,} held-out ones"


def _predictor(result: Result, option: Result) -> Sentence:
    from seqdesign.ensembles.options import LABELS

    kind = str(result.get("kind"))
    members = f"an ensemble of {result['members']} members of the kind {LABELS.get(kind, kind)}"
    members += _reference(KINDS.get(kind, ""))
    text = f"To predict {', '.join(result['outcomes'])}, {members} was trained on {_trained(result)}"
    text += f" ({option.get('split', 'random')} split)."
    if result.get("trials"):
        tried = ", ".join(one["label"] for one in result["trials"])
        text += f" The kind was chosen on a part of the training sequences among {tried}."
    for one in (result.get("quality") or {}).get("outcomes", ()):
        figures = [
            f"{name} = {one[key]:.3f}"
            for key, name in (("r2", "R2"), ("spearman", "Spearman's rho"), ("auroc", "AUROC"))
            if one.get(key) is not None
        ]
        text += f" On held-out sequences {one['name']} was predicted with {', '.join(figures)}"
        if one.get("baseline_value") is not None:
            text += f" ({one['baseline']}: {one['baseline_value']:.3f})"
        if one.get("coverage") is not None:
            text += f"; {one['coverage'][-1]:.1%} of measurements lay inside the 95% prediction intervals"
        text += "."
        if one.get("straight") is not None:
            text += (
                f" Predictions of {one['name']} follow a monotone spline (global epistasis; Otwinowski et "
                "al. 2018) through training rows, each predicted by a member that had not learned from "
                f"it; without the spline, R2 on held-out sequences was {one['straight']:.3f}."
            )
    cited = (KINDS[kind],) if kind in KINDS else ()
    return text, (*cited, "otwinowski") if "Otwinowski" in text else cited


def _vae(result: Result, option: Result) -> Sentence:
    quality = result["quality"]
    text = (
        f"A variational autoencoder of sequences (Kingma and Welling 2014; Mueller et al. 2017) with "
        f"{quality['latent_dim']} latent units was trained on {_trained(result)}, {result['epochs']} passes. "
        f"It reconstructed {quality['token_accuracy']:.1%} of the letters of held-out sequences"
    )
    if quality.get("outcome_r2") is not None:
        text += (
            f" and predicted {result['outcome']} from the latent code with R2 = {quality['outcome_r2']:.3f} "
            f"(Spearman's rho = {quality['outcome_spearman']:.3f})"
        )
    return f"{text}.", ("kingma", "mueller")


def _gan(result: Result, option: Result) -> Sentence:
    text = (
        f"A generative adversarial network (Gulrajani et al. 2017; Killoran et al. 2017) was trained on "
        f"{_trained(result)} for {result['steps']:,} generator steps; the weights after step "
        f"{result['best_step']:,}, the best on validation sequences, were kept."
    )
    return text, ("gulrajani", "killoran")


def _lm(result: Result, option: Result) -> Sentence:
    quality = result["quality"]
    text = (
        f"An autoregressive language model was trained on {_trained(result)} for {result['epochs']} passes. "
        f"Its negative log-likelihood on held-out sequences was {quality['nll']:.3f} nats per letter "
        f"(Markov chain of order {quality['markov_order']}: {quality['markov_nll']:.3f})."
    )
    return text, ()


def _translator(result: Result, option: Result) -> Sentence:
    first, second = result["directions"]
    counts = " and ".join(f"{n:,}" for n in result["num_train"])
    text = (
        "A cycle-consistent adversarial network (Zhu et al. 2017) with a Wasserstein loss (Gulrajani et al. "
        f"2017) was trained without pairs on {counts} {_letters(result)} sequences of {first['source']} "
        f"and {first['target']} for {result['steps']:,} steps. A classifier trained on other held-out "
        f"sequences assigned {first['recognised']:.0%} of held-out translations from {first['source']} and "
        f"{second['recognised']:.0%} of those from {second['source']} to the target (real sequences: "
        f"{first['real']:.0%} and {second['real']:.0%})."
    )
    return text, ("zhu", "gulrajani")


def _translate(result: Result, option: Result) -> Sentence:
    text = (
        f"{result['num']:,} sequences were translated from {result['source']} to {result['target']} by a "
        f"cycle-consistent adversarial network (Zhu et al. 2017), with {result['mean_edits']:.1f} edits on "
        "average."
    )
    return text, ("zhu",)


def _maximize(result: Result, option: Result) -> Sentence:
    summary = result["summary"]
    method = str(result.get("method") or option.get("method") or "mean-field")
    name, source = DESIGNERS.get(method, (f"the method {method}", ""))
    rules = ", ".join(text.removeprefix("--") for text in summary["constraints"]) or "none"
    text = f"{summary['designs']:,} sequences were designed to reach {_goal(summary['objective'])} by {name}"
    text += (
        f"{_reference(source)}, under the constraints {rules}, each checked again on the final sequences; "
    )
    text += f"{summary['queries']:,} sequences were scored."
    cited = [source] if source else []
    if summary.get("judges"):
        text += (
            " Designs were ranked by the cautious bound of judges that took no part in the search "
            f"({', '.join(summary['judges'])}); these confirmed {summary['mean_confidence']:.0%} of the gain."
            if summary.get("mean_confidence") is not None
            else ""
        )
    promise = summary.get("promise") or {}
    if promise.get("least") is not None:
        reading = Reading(summary.get("kind", "score"))
        said = reading.promised(promise["designs"], reading.value(promise["least"]))
        source = "the lower bounds of the judges"
        if promise.get("alike", True):
            cited.append("angelopoulos")
            source = "prediction-powered inference (Angelopoulos et al. 2023)"
        text += f" By {source} {said} with probability {promise['probability']:g}."
    return text, tuple(cited)


def _goal(objective: str) -> str:
    from seqdesign.pages.answers import objective_words

    return objective_words(objective)


def _reference(source: str) -> str:
    """The reference in brackets: first author and year."""
    if not source:
        return ""
    authors, _, rest = REFERENCES[source].partition(" (")
    names = [one.rpartition(" ")[0] for one in authors.split(", ")]
    several = len(names) > 2 or " et al" in authors
    named = f"{authors.split(' ')[0]} et al." if several else " and ".join(names)
    return f" ({named} {rest[:4]})"


def _revise(result: Result, option: Result) -> Sentence:
    summary = result["summary"]
    how = (
        "REVISE (Mueller et al. 2017)"
        if result.get("method") == "revise"
        else "random mutation and selection"
    )
    limit = f" with at most {option['max_edits']} edits" if option.get("max_edits") is not None else ""
    text = (
        f"{summary['inputs']:,} sequences were revised by {how}{limit}. "
        f"Predicted {summary['outcome']} changed from {summary['mean_outcome_before']:.4g} "
        f"to {summary['mean_outcome']:.4g} on average, with {summary['mean_edits']:.2f} edits and a "
        f"change of log-likelihood of {summary['mean_loglik_change']:+.2f} nats."
    )
    return text, ("mueller",)


def _attribute(result: Result, option: Result) -> Sentence:
    methods = {
        "mutagenesis": ("in-silico mutagenesis of every letter", ()),
        "gradient": ("the gradient at each letter, centred over the letters of its position", ()),
        "integrated-gradients": ("integrated gradients (Sundararajan et al. 2017)", ("sundararajan",)),
    }
    name, cited = methods.get(result["method"], (f"the method {result['method']}", ()))
    text = f"The predicted {result['outcome']} of {result['num']:,} sequences was divided among their letters"
    text += f" by {name}."
    if result.get("edits"):
        text += " Edits were given their Shapley values (Shapley 1953)."
        cited = (*cited, "shapley")
    return text, cited


def _evaluate(result: Result, option: Result) -> Sentence:
    values = {row["name"]: row for row in result["measures"]}
    real = f"{result['num_training']:,} training and {result['num_held_out']:,} held-out sequences"
    text = (
        f"{result['num_generated']:,} generated {_letters(result)} sequences were compared with {real} by "
        f"{len(values)} measures of novelty, diversity and composition"
    )
    if result["num_compared"]:
        text += f", on {result['num_compared']:,} sequences of each set drawn at random"
    if option.get("resamples"):
        text += f"; intervals are 95% intervals of {option['resamples']} resampled sets"
    text += ". Held-out sequences, or halves of the training set, gave the values of real sequences."
    figures = (
        ("copies", "{:.1%} were copies of a training sequence"),
        ("auc", "a classifier on words told them from training sequences with an AUC of {:.3f}"),
    )
    said = [words.format(values[k]["value"]) for k, words in figures
            if values.get(k, {}).get("value") is not None]  # fmt: skip
    listed = "; ".join(said)
    text += f" {listed[0].upper()}{listed[1:]}." if said else ""
    return text, ()


def _motifs(result: Result, option: Result) -> Sentence:
    jaspar = "JASPAR" in result["collection"]
    source = f"{result['collection']}; Rauluseviciute et al. 2024" if jaspar else result["collection"]
    both = "both strands of " if result["strands"] == "both" else ""
    significant = sum(_of(one, "q_value") <= 0.05 for one in result["enrichment"])
    text = (
        f"{both}{result['num_sequences']:,} {_letters(result)} sequences were scanned for "
        f"{result['num_motifs']:,} motifs ({source}); a window was a hit if its p-value was at most "
        f"{result['p_value']:g} (exact distribution of log-odds scores against independent letters). By "
        f"one-sided Fisher's exact tests against {result['num_background']:,} sequences "
        f"({result['background']}), {_count(significant, 'motif was', 'motifs were')} enriched at a "
        "false discovery rate of 5% "
        "(Benjamini and Hochberg 1995)."
    )
    cited = [*(["jaspar"] if jaspar else []), "benjamini"]
    if result["num_pairs"]:
        text += (
            f" Gains and losses in {result['num_pairs']:,} pairs of a sequence and its parent were tested by "
            "exact McNemar tests."
        )
    if result["denovo"]:
        text += (
            f" {_count(len(result['denovo']), 'new motif was', 'new motifs were')} found by expectation "
            "maximization (Bailey and Elkan "
            "1994) from enriched words, and tested on sequences that the search had not seen."
        )
        cited.append("bailey")
    return f"{text[0].upper()}{text[1:]}", tuple(cited)


def _count(number: int, one: str, several: str) -> str:
    return f"{number:,} {one if number == 1 else several}"


def _of(record: Any, name: str) -> Any:
    """A field of a record, or of the same as JSON."""
    return record[name] if isinstance(record, Mapping) else getattr(record, name)


ACQUISITIONS = {
    "upper": "one after the other by the highest mean plus two standard deviations of what is unknown once "
    "those before are measured (Desautels et al. 2014)",
    "mean": "by the highest mean",
}
"""How ``propose`` chooses, in words."""


def _propose(result: Result, option: Result) -> Sentence:
    summary = result["summary"]
    how = ACQUISITIONS.get(str(option.get("acquisition", "upper")), "")
    text = (
        f"A Gaussian process over {summary['kind']} (Rasmussen and Williams 2006) learned from "
        f"{sum(summary['rounds']):,} measured sequences of {len(summary['rounds'])} "
        f"round{'s' * (len(summary['rounds']) != 1)}; sequences left out were predicted with "
        f"R2 = {summary['r2']:.3f}. Of {summary['pool']:,} candidates {summary['proposed']:,} were proposed "
        f"{how}."
    )
    if last := summary.get("last"):
        rho = "" if last["spearman"] is None else f" with Spearman's rho = {last['spearman']:.3f}"
        text += (
            f" The {last['num']:,} sequences of the last round had been predicted{rho}; "
            f"{last['coverage']:.0%} lay inside their 95% intervals."
        )
    return text, ("rasmussen", "desautels")


def _order(result: Result, option: Result) -> Sentence:
    low, high = result["shortest"], result["longest"]
    length = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    text = f"{result['constructs']:,} constructs of {length} bases were ordered"
    left, right = str(option.get("left") or ""), str(option.get("right") or "")
    if left or right:
        text += (
            f", each between the adapters {left.upper() or 'none'} (5') and {right.upper() or 'none'} (3')"
        )
    text += "."
    if result["barcodes"]:
        kinds = {"edits": "substitution, insertion or deletion", "substitutions": "substitution"}
        error = kinds.get(str(option.get("barcode_errors", "edits")), "error")
        text += (
            f" Each carried a barcode of {option['barcode_length']} bases; no single {error} turns one "
            "barcode into another."
        )
    if option.get("primers"):
        text += (
            f" Primers were chosen to melt near {float(option.get('tm') or 60):g} C by nearest neighbours "
            "(Allawi and SantaLucia 1997; 50 mM sodium, 25 nM of each strand)."
        )
    return text, ("allawi",) if option.get("primers") else ()


def _similarity(result: Result, option: Result) -> Sentence:
    quality = result["quality"]
    text = (
        f"A similarity of two sequences was learned by a bidirectional recurrent network from "
        f"{_trained(result)} (taught by: {result['teacher']}); on {quality['pairs']:,} held-out pairs the "
        f"{quality['measure']} was {quality['agreement']:.3f} (cosine of words of {quality['kmer']}: "
        f"{quality['kmer_agreement']:.3f})."
    )
    return text, ()


WRITERS: Mapping[str, Callable[[Result, Result], Sentence]] = {
    "train-predictor": _predictor,
    "train-vae": _vae,
    "train-gan": _gan,
    "train-lm": _lm,
    "train-translate": _translator,
    "translate": _translate,
    "maximize": _maximize,
    "revise": _revise,
    "attribute": _attribute,
    "evaluate": _evaluate,
    "motifs": _motifs,
    "propose": _propose,
    "order": _order,
    "train-similarity": _similarity,
}
"""Command -> what writes its paragraph."""
