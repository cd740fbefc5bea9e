/** What is written for a word with a body, by where it can stand: `$1`, `${1:text}` are places to go on at, `$0` is the last. */

/** Of a file. */
export const DECLARATION_SNIPPETS: Readonly<Record<string, string>> = {
  block:
    "block ${1:name}(${2:width, stride = 1}) {\n  residual {\n    conv 3x3, width, /stride   bn   relu\n    conv 3x3, width            bn\n  }\n  relu$0\n}",
  shortcut: "shortcut ${1:name} {\n  if changes { conv 1x1, channels, /stride   bn }$0\n}",
  network:
    "network ${1:Name}(classes = ${2:10}) {\n  input image ${3:3x224x224}\n  stage conv1    { conv 7x7, 64, /2   bn   relu }\n  stage conv2 /2 { $0 }\n  head           { global_avg_pool   fc classes   softmax }\n}",
  detector: "detector ${1:Name}(classes = ${2:91}) {\n  input image 3xHxW\n  $0\n}",
  recipe:
    "recipe ${1:name}(epochs = ${2:90}) {\n  optimizer sgd(momentum: 0.9, weight_decay: 1e-4)\n  learning_rate ${3:0.1}\n  batch ${4:256}\n  stop epochs: epochs$0\n}",
  preprocess:
    "preprocess ${1:name} {\n  resize_shorter ${2:256}   center_crop ${3:224x224}\n  normalize(mean: [${4:0.485, 0.456, 0.406}], std: [${5:0.229, 0.224, 0.225}], range: ${6|1,255|}, color: ${7|rgb,bgr,grey|})$0\n}",
  weights: 'weights ${1:name} {\n  rename "${2:conv1.bn}", "${3:bn1}"$0\n}',
  dialect: "dialect ${1:name} {\n  boxes ${2|exclusive,inclusive|}$0\n}",
  let: "let ${1:name} = $0",
  import: 'import { $0 } from "${1:std/blocks}"',
};

/** Of a body. Words of layers and settings have theirs by what they take. */
export const STATEMENT_SNIPPETS: Readonly<Record<string, string>> = {
  stage: "stage ${1:conv2} /${2:2} { $0 }",
  head: "head { global_avg_pool   fc ${1:classes}   softmax$0 }",
  input: "input image ${1:3x224x224}",
  let: "let ${1:name} = $0",
  if: "if ${1:condition} { $0 }",
  for: "for ${1:i} in ${2:1 .. n} { $0 }",
  assert: 'assert ${1:condition}, "${2:what is wrong}"$0',
};
