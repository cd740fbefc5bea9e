/** Networks to begin with. */

export interface Example {
  readonly name: string;
  readonly text: string;
}

export const EXAMPLES: readonly Example[] = [
  {
    name: "ResNet-50, as table 1 has it",
    text: `import { bottleneck } from "std/blocks"
import { projection_on_change } from "std/shortcuts"

/// Table 1 of the paper.
network ResNet(block, counts, classes = 1000) {
  input image 3x224x224
  shortcuts projection_on_change

  stage conv1    { conv 7x7, 64, /2   bn   relu }
  stage conv2    { max_pool 3x3, /2   block(64) x counts[0] }
  stage conv3 /2 { block(128) x counts[1] }
  stage conv4 /2 { block(256) x counts[2] }
  stage conv5 /2 { block(512) x counts[3] }
  head           { global_avg_pool   fc classes   softmax }
}

network ResNet50 = ResNet(bottleneck, [3, 4, 6, 3])
`,
  },
  {
    name: "A small one for shapes, to train here",
    text: `import { basic } from "std/blocks"
import { projection_on_change } from "std/shortcuts"

/// Ten shapes of 32x32: train it in the tab "Train".
network Small {
  input image 3x32x32
  shortcuts projection_on_change

  stage stem    { conv 3x3, 16   bn   relu }
  stage one  /2 { basic(16) }
  stage two  /2 { basic(32) }
  head          { global_avg_pool   fc 10   softmax }
}
`,
  },
  {
    name: "A block of your own",
    text: `import { projection_on_change } from "std/shortcuts"

/// Pre-activation (Identity Mappings in Deep Residual Networks, figure 1b).
block mine(width) {
  bn   relu   conv 3x3, width
  bn   relu   conv 3x3, width
}

network Mine(depth = 3) {
  input image 3x32x32
  shortcuts projection_on_change

  stage stem    { conv 3x3, 16 }
  stage one     { residual { mine(16) } x depth }
  stage two  /2 { residual { mine(32) } x depth }
  head          { bn   relu   global_avg_pool   fc 10   softmax }
}
`,
  },
  {
    name: "A mistake, and its mending",
    text: `network Broken {
  input image 3x32x32
  stage stem { conv 3x3, 16   bn   relu }
  stage body {
    residul { conv 3x3, 32   bn }
  }
  head { global_avg_pool   fc 10   softmax }
}
`,
  },
];
