"""PMML files are served only if they give the answers of the model that was exported."""

import pandas as pd
import pytest

from registry.store import Registry
from telemetry.errors import AnswersDiffer, Invalid, ModelUnloadable
from workers.gate.comparing import differences
from workers.models.artifacts import load_artifact, open_artifact
from workers.models.formats.all_formats import runtime_name
from workers.models.registration import examine

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<PMML xmlns="http://www.dmg.org/PMML-4_4" version="4.4">
 <Header/>
 <DataDictionary>
  <DataField name="answer" optype="{optype}" dataType="{type}">{values}</DataField>
  <DataField name="a" optype="continuous" dataType="double"/>
  <DataField name="b" optype="continuous" dataType="double"/>
 </DataDictionary>
"""
SCHEMA = """
  <MiningSchema>
   <MiningField name="answer" usageType="target"/>
   <MiningField name="a"/>
   <MiningField name="b"/>
  </MiningSchema>
"""
REGRESSION = (
    HEAD.format(optype="continuous", type="double", values="")
    + f""" <RegressionModel functionName="regression">{SCHEMA}
  <RegressionTable intercept="0.5">
   <NumericPredictor name="a" coefficient="2.0"/>
   <NumericPredictor name="b" coefficient="-1.0"/>
  </RegressionTable>
 </RegressionModel>
</PMML>
"""
)
TREE = (
    HEAD.format(
        optype="categorical", type="string", values='<Value value="no"/><Value value="yes"/>'
    )
    + f""" <TreeModel functionName="classification" splitCharacteristic="binarySplit">{SCHEMA}
  <Node score="no" recordCount="10">
   <True/>
   <ScoreDistribution value="no" recordCount="6"/>
   <ScoreDistribution value="yes" recordCount="4"/>
   <Node score="no" recordCount="5">
    <SimplePredicate field="a" operator="lessOrEqual" value="1.5"/>
    <ScoreDistribution value="no" recordCount="5"/>
    <ScoreDistribution value="yes" recordCount="0"/>
   </Node>
   <Node score="yes" recordCount="5">
    <SimplePredicate field="a" operator="greaterThan" value="1.5"/>
    <ScoreDistribution value="no" recordCount="1"/>
    <ScoreDistribution value="yes" recordCount="4"/>
   </Node>
  </Node>
 </TreeModel>
</PMML>
"""
)
ROWS = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [0.5, 1.0, 4.0]})
CASES = {
    "regression": (REGRESSION, [2.0, 3.5, 2.5], ("predict",)),
    "tree": (TREE, ["no", "yes", "yes"], ("predict",)),
}


@pytest.mark.parametrize("case", CASES)
def test_pmml_file_is_served_with_the_answers_of_its_sample(tmp_path, case):
    text, answers, methods = CASES[case]
    (tmp_path / "model").write_text(text)
    found = examine(tmp_path / "model", sample=ROWS.assign(prediction=answers))
    assert differences(found.model, found.description.signature, found.inspected.own_answers) == []
    assert [column.name for column in found.description.signature.columns] == ["a", "b"]
    assert found.description.signature.methods == methods
    manifest = Registry(tmp_path).add("m", found.description, found.content)
    again = load_artifact(Registry(tmp_path).artifact(manifest), manifest).estimator
    assert [*again.predict(ROWS)] == answers
    assert runtime_name(manifest).startswith("sklearn-pmml-model 1.")


@pytest.mark.parametrize("case", CASES)
def test_pmml_file_with_other_answers_is_refused(tmp_path, case):
    text, answers, _ = CASES[case]
    (tmp_path / "model").write_text(text)
    wrong = [*answers[:2], answers[0]]
    with pytest.raises(AnswersDiffer, match="row 3 of the sample gets .*computes another model"):
        examine(tmp_path / "model", sample=ROWS.assign(prediction=wrong))


def test_pmml_file_of_small_answers_is_compared_by_ratio(tmp_path):
    text = REGRESSION.replace('"0.5"', '"0"').replace('"2.0"', '"2e-9"').replace('"-1.0"', '"0"')
    (tmp_path / "model").write_text(text)
    right = ROWS["a"] * 2e-9
    examine(tmp_path / "model", sample=ROWS.assign(prediction=right * (1 + 1e-8)))
    with pytest.raises(AnswersDiffer, match="computes another model"):
        examine(tmp_path / "model", sample=ROWS.assign(prediction=right * 1.5))


def test_pmml_file_needs_a_sample_with_answers(tmp_path):
    (tmp_path / "model").write_text(TREE)
    with pytest.raises(Invalid, match="give a --sample"):
        examine(tmp_path / "model")
    with pytest.raises(Invalid, match="needs a column 'prediction' with the answers"):
        examine(tmp_path / "model", sample=ROWS)


BOMB = '<?xml version="1.0"?><!DOCTYPE PMML [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><PMML>&b;</PMML>'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (TREE[: len(TREE) // 2], "ParseError"),
        (TREE.replace("TreeModel", "TreeOfAnotherKind"), "Unsupported PMML classifier"),
        (BOMB, "document type is not read"),
        ("<?xml version='1.0'?><html/>", "its content is none of"),
    ],
    ids=["truncated", "unknown", "entities", "other"],
)
def test_pmml_file_that_is_broken_or_hostile_is_refused(tmp_path, text, told):
    (tmp_path / "model").write_text(text)
    with pytest.raises(ModelUnloadable, match=told):
        open_artifact(tmp_path / "model", trust=False)
