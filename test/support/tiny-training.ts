/** A training from the command line that takes a second: its source, its folder, its words. */
import { folderWith } from "../cli/resnetc.js";

export const TINY_SOURCE = `network Tiny(classes = 10) {
  input image 3x32x32
  stage conv1 { conv 3x3, 4, /4   bn   relu }
  head        { global_avg_pool   fc classes   softmax }
}
recipe quick {
  optimizer sgd(momentum: 0.9)
  batch 16
  learning_rate 0.05
  stop 40
  validate 100
  checkpoint 10
  train { normalize(mean: 0.5, std: 0.25)   flip_horizontal }
}
`;

/** A new folder with `tiny.resnet`. */
export const tinyFolder = (): Promise<string> => folderWith({ "tiny.resnet": TINY_SOURCE });

/** What is typed after `resnetc` to train it into the folder `output`. */
export const trainTiny = (output: string, ...more: string[]): string[] => [
  ...["train", "tiny.resnet", "--recipe", "tiny.resnet", "--data", "shapes", "--device", "cpu", "--threads", "1"],
  ...["-o", output, ...more],
];
