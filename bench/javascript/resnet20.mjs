/** ResNet-20 for CIFAR-10 (section 4.2 of the paper) in the operators of another library, from the parameters of ours. */

/** Of the stages: path, channels, stride of the first block. */
const STAGES = [
  ["conv2", 16, 1],
  ["conv3", 32, 2],
  ["conv4", 64, 2],
];

/**
 * @param ops the library's operators: `conv(x, weight, stride)` of 3x3 with a border of one, `norm(x, path)`, `relu`, `add`, `shortcut(x, channels)` of option A, `dense(x, path)` behind the mean over positions,
 *   `weight(path)`, and `twice(x)` for an array that is read a second time
 * @returns the logits
 */
export function resnet20(ops, image) {
  let x = ops.relu(ops.norm(ops.conv(image, ops.weight("conv1.conv.weight"), 1), "conv1.bn"));
  for (const [stage, channels, first] of STAGES) {
    for (let block = 0; block < 3; block++) {
      const path = `${stage}.${block}`;
      const stride = block === 0 ? first : 1;
      const given = ops.twice(x);
      const hidden = ops.relu(ops.norm(ops.conv(x, ops.weight(`${path}.conv1.weight`), stride), `${path}.bn1`));
      const residual = ops.norm(ops.conv(hidden, ops.weight(`${path}.conv2.weight`), 1), `${path}.bn2`);
      x = ops.relu(ops.add(residual, stride === 1 ? given : ops.shortcut(given, channels)));
    }
  }
  return ops.dense(x, "head.fc");
}
