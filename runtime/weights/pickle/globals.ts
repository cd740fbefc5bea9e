/**
 * The classes and functions that a weight file may name. None of them is ever called or looked up; the list is there so
 * that a file which asks for anything else is refused as what it is: not a weight file, and perhaps an attack.
 */

const TORCH_DTYPES = "float64 float32 float16 bfloat16 int64 int32 int16 int8 uint8 bool".split(" ");
const TORCH_STORAGES = "Double Float Half BFloat16 Long Int Short Char Byte Bool Untyped".split(" ");
const NUMPY_MODULES = ["numpy.core", "numpy._core"];
const BUILTIN_MODULES = ["builtins", "__builtin__"];

const ALLOWED = new Set([
  "collections.OrderedDict",
  "collections.defaultdict",
  "collections.Counter",
  "torch._utils._rebuild_tensor",
  "torch._utils._rebuild_tensor_v2",
  "torch._utils._rebuild_tensor_v3",
  "torch._utils._rebuild_parameter",
  "torch._utils._rebuild_parameter_with_state",
  "torch.nn.parameter.Parameter",
  "torch.storage.UntypedStorage",
  "torch.storage.TypedStorage",
  "torch.Size",
  "torch.device",
  ...TORCH_DTYPES.map((dtype) => `torch.${dtype}`),
  ...TORCH_STORAGES.map((type) => `torch.${type}Storage`),
  "numpy.ndarray",
  "numpy.dtype",
  "numpy.float64",
  "numpy.float32",
  "numpy.int64",
  ...NUMPY_MODULES.flatMap((module) => [
    `${module}.multiarray._reconstruct`,
    `${module}.multiarray.scalar`,
    `${module}.numeric._frombuffer`,
  ]),
  "_codecs.encode",
  ...BUILTIN_MODULES.flatMap((module) =>
    "set frozenset bytearray bytes list dict int float bool str object complex slice range"
      .split(" ")
      .map((name) => `${module}.${name}`),
  ),
  "copy_reg._reconstructor",
  "copyreg._reconstructor",
  "argparse.Namespace",
  "pathlib.PosixPath",
  "pathlib.WindowsPath",
]);

export function isAllowed(module: string, name: string): boolean {
  return ALLOWED.has(`${module}.${name}`);
}
