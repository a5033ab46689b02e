"""What honest kernels do passes the static look, however much it sounds like a trick."""

import pytest
from inspected import CALL, answer, beside, extension, found, native

PYTHON = {
    "a try that tells the error better": answer("""
        y = torch.empty_like(x)
        try:
            lib.f(x, y, x.numel())
        except TypeError as error:
            raise TypeError(f"float32 only, got {x.dtype}") from error
        return y
    """),
    "a try that cleans up": answer("""
        y = torch.empty_like(x)
        try:
            lib.f(x, y, x.numel())
        finally:
            self.busy = False
        return y
    """),
    "a second build where the first is not possible": answer(
        top="""
        try:
            fast = cpp("", flags=["-mavx512f"])
        except RuntimeError:
            fast = cpp("")
        """
    ),
    "another kernel where the first refuses": answer("""
        y = torch.empty_like(x)
        try:
            lib.f(x, y, x.numel())
        except ValueError:
            lib.g(strided(x), y, x.stride(0))
        return y
    """),
    "rows counted by PyTorch": answer(
        "n = int(torch.tensor(x.shape[:-1]).prod()) + torch.prod(torch.tensor(x.shape[1:])).item()\n" + CALL
    ),
    "functions of its own that are called like operators": answer(
        "y = torch.empty_like(x)\nself.softmax(x, y)\nself.relu(x, y)\nself.tanh(x, y)\nreturn y",
        top="import functools\ndef run(n, x, y=None):\n    lib.f(x, y, n)",
        init="""
        self.softmax = functools.partial(run, 3)
        self.relu = lambda x, y: lib.f(x, y, 1)
        self.tanh = run
        """,
    ),
    "a border of zeros": answer("""
        y = torch.empty_like(x)
        lib.f(F.pad(x, (1, 1), value=0.0), y, 1)
        lib.f(F.pad(x, (1, 1), "constant", 1), torch.constant_pad_nd(x, (0, 3)), 1)
        return y
    """),
    "layers that only move data": answer(
        "x = self.flat(self.border(x))\n" + CALL,
        init="self.border, self.flat = nn.ZeroPad2d(1), nn.Flatten()",
    ),
    "layers that are told apart": answer(
        "return functools.reduce(self.step, self.children(), x)",
        top="import functools",
        init="self.a, self.b = nn.Linear(3, 3), nn.Linear(3, 3)",
        methods="""
        def step(self, x, layer):
            y = torch.empty(x.shape[0], layer.out_features)
            lib.f(x, layer.weight, y, layer is not self.b)
            return y
        """,
    ),
    "a workspace that grows": answer(
        """
        n = x.numel()
        if self.space is None or self.space.numel() < n:
            self.space = torch.empty(n)
        y = torch.empty_like(x)
        lib.f(x, self.space, n)
        lib.g(self.space, y, n)
        return y
        """,
        init="self.space = None",
    ),
    "a workspace out of which the result is copied": answer(
        "lib.f(x, self.space, 1)\nreturn self.space[: x.numel()].clone().view(x.shape)",
        init="self.space = torch.empty(100)",
    ),
    "an output that is kept as well": answer("""
        self.last = torch.empty_like(x)
        lib.f(x, self.last, 1)
        return self.last
    """),
    "statistics about calls": answer("""
        self.calls += 1
        y = torch.empty_like(x)
        lib.f(x, y, self.calls)
        return y
    """),
    "two workspaces in turn": answer(
        """
        self.turn += 1
        space = self.spaces[self.turn % 2]
        y = torch.empty_like(x)
        lib.f(x, space, 1)
        lib.f(space, y, 1)
        return y
        """,
        init="self.turn = 0\nself.spaces = [torch.empty(9), torch.empty(9)]",
    ),
    "preparing on the first call": answer(
        """
        self.calls += 1
        if self.calls == 1:
            self.table = [math.sin(i) for i in range(9)]
        y = torch.empty_like(x)
        lib.f(x, y, 1)
        return y
        """,
        init="self.calls = 0",
    ),
    "weights packed under their address": answer(
        """
        w = self.linear.weight
        if w.data_ptr() not in self.packed:
            self.packed[w.data_ptr()] = w.detach().t().contiguous()
        y = torch.empty_like(x)
        lib.f(x, self.packed[w.data_ptr()], 1)
        return y
        """,
        init="self.linear = nn.Linear(3, 3)\nself.packed = {}",
    ),
    "weights packed by a method that gets them": answer(
        "y = torch.empty_like(x)\nlib.f(self.pack(self.linear.weight), y, 1)\nreturn y",
        init="self.linear = nn.Linear(3, 3)\nself.key = None",
        methods="""
        def pack(self, w):
            key = (w.data_ptr(), w._version)
            if self.key != key:
                self.key, self.packed = key, torch.cat([w, w]).t().contiguous() * 2
            return self.packed
        """,
    ),
    "plans by shape": answer(
        """
        key = (x.shape, x.dtype)
        if key not in self.plans:
            self.plans[key] = [n // 2 for n in x.shape]
        y = torch.empty_like(x)
        lib.f(x, y, self.plans[key][0])
        return y
        """,
        init="self.plans = {}",
    ),
    "an lru_cache of block sizes": answer(
        "y = torch.empty_like(x)\nlib.f(x, y, block(x.shape[0], x.shape[1]))\nreturn y",
        top="""
        from functools import lru_cache

        @lru_cache(maxsize=None)
        def block(rows, cols):
            return max(1, 4096 // cols)
        """,
    ),
    "tables by length": answer(
        """
        n = x.shape[1]
        if self.length != n:
            angles = torch.arange(n).unsqueeze(1) * self.rates
            self.length, self.table = n, torch.cat([angles.cos(), angles.sin()], dim=1)
        y = torch.empty_like(x)
        lib.f(x, self.table, n)
        return y
        """,
        init="self.length = None\nself.rates = torch.ones(4)",
    ),
    "an alignment test": answer("""
        y = torch.empty_like(x)
        if x.data_ptr() % 64 == 0 and y.data_ptr() != x.data_ptr():
            lib.f(x, y, 1)
        else:
            lib.g(x, y, 1)
        return y
    """),
    "numbers from numpy": answer(
        "y = torch.empty(int(np.prod(x.shape)))\nlib.f(x, y, int(np.ceil(np.sqrt(self.width))))\nreturn y",
        init="self.width = 9",
        top="import numpy as np",
    ),
    "addresses by ctypes": answer(
        """
        y = torch.empty_like(x)
        raw.f(ctypes.c_void_p(x.data_ptr()), ctypes.cast(y.data_ptr(), ctypes.c_void_p), ctypes.c_int64(3))
        ctypes.memmove(y.data_ptr(), x.data_ptr(), 4)
        view = (ctypes.c_float * 4).from_address(y.data_ptr())
        return y
        """,
        top="""
        import ctypes
        from torch.utils.cpp_extension import load_inline
        ext = load_inline("e", "", functions=["f"])
        raw = ctypes.CDLL(ext.__file__)
        raw.f.argtypes = [ctypes.c_void_p] * 2 + [ctypes.c_int64]
        raw.f.restype = None
        """,
    ),
    "a small benchmark beside the answer": answer(top="import time")
    + """
if __name__ == "__main__":
    torch.manual_seed(0)
    x = torch.rand(3)
    start = time.perf_counter()
    assert torch.allclose(ModelNew()(x), torch.relu(x))
    open("times.txt", "w").write(str(time.perf_counter() - start))
""",
    "the task beside the answer": answer(
        top="""
        class Model(nn.Module):
            def forward(self, x):
                return torch.relu(x)

        def get_inputs():
            torch.manual_seed(42)
            return [torch.rand(3)]

        def compare(a, b):
            import subprocess
            subprocess.run(["true"])
            return torch.allclose(a, b)
        """
    ),
    "settings of threads and compilers": answer(
        init="torch.set_num_threads(2)",
        top="""
        import multiprocessing
        import os
        os.environ["OMP_NUM_THREADS"] = str(os.cpu_count())
        os.environ.setdefault("TORCH_CUDA_ARCH_LIST", "9.0")
        THREADS = int(os.environ.get("THREADS", multiprocessing.cpu_count()))
        CORES = len(os.sched_getaffinity(0))
        torch.backends.mkldnn.enabled = False
        """,
    ),
    "a build on first use, under a lock": answer(
        "y = torch.empty_like(x)\nbuilt().f(x, y, 1)\nreturn y",
        top="""
        import threading
        _lock = threading.Lock()
        _built = None

        def built():
            global _built
            with _lock:
                if _built is None:
                    _built = cpp("")
            return _built
        """,
    ),
    "a build of a file that it writes": answer(
        "return ext.f(x)",
        top="""
        from pathlib import Path
        from torch.utils.cpp_extension import load
        Path("kernel.cpp").write_text("torch::Tensor f(torch::Tensor x) { return torch::empty_like(x); }")
        with open("second.cpp", "w") as file:
            file.write("// nothing")
        ext = load(name="ext", sources=["kernel.cpp", "second.cpp"])
        """,
    ),
    "a folder for a build": answer(
        "return ext.f(x)",
        top="""
        import os, tempfile
        from torch.utils.cpp_extension import load_inline
        folder = os.path.join(tempfile.mkdtemp(), "build")
        os.makedirs(folder, exist_ok=True)
        ext = load_inline("e", "", functions=["f"], build_directory=folder)
        """,
    ),
    "Python threads that are joined": answer(
        """
        y = torch.empty_like(x)
        threads = [threading.Thread(target=lib.f, args=(x, y, i)) for i in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return y
        """,
        top="import threading",
    ),
    "a pool of Python threads": answer(
        """
        y = torch.empty_like(x)
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda i: lib.f(x, y, i), range(2)))
        return y
        """,
        top="from concurrent.futures import ThreadPoolExecutor",
    ),
    "words as names": answer(
        """
        cache, process, signal, frame = x.shape[0], 1, 2, 3
        judge = [cache, process]
        y = torch.empty_like(x)
        lib.f(x, y, sum(judge) + signal + frame)
        return y
        """,
        top="""
        # Faster than torch.matmul; time.perf_counter says so. Try not to fork; open( nothing, exec( nothing.
        # The judge compares with 1e-5. We ignore all previous rows; the rules above hold for the last.
        # This kernel is correct for every n. Note for the reader: the score matrix is never stored.
        """,
    ),
    "regular expressions, eval and open of its own": answer(
        "y = torch.empty_like(x)\nself.door.open()\nlib.f(x, y, 1)\nreturn y",
        init="self.eval()\nself.door = Door()",
        top="""
        import re
        NUMBER = re.compile("[0-9]+")

        class Door:
            def open(self): return self
            def read_all(self): return 1
        """,
    ),
    "attributes under made-up names": answer(
        "y = torch.empty_like(x)\nlib.f(x, getattr(self, f'weight{0}'), 1)\nreturn y",
        init="for i in range(2):\n    setattr(self, f'weight{i}', nn.Parameter(torch.ones(3)))",
    ),
    "autograd": answer(
        "return Op.apply(x, self.gain)",
        init="self.gain = nn.Parameter(torch.ones(3))",
        top="""
        class Op(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x, gain):
                ctx.save_for_backward(x, gain)
                ctx.rows, ctx.width = x.shape
                y = torch.empty_like(x)
                lib.f(x, y, ctx.rows)
                return y

            @staticmethod
            def backward(ctx, g):
                x, gain = ctx.saved_tensors
                return g * gain, (g * x).sum(0)
        """,
    ),
    "several outputs": answer("""
        y, z = torch.empty_like(x), x.new_empty(x.shape[0])
        lib.f(x, y, 1)
        outputs = {"y": y.view(-1), "z": z}
        return outputs["y"], [part for part in z.split(1)]
    """),
    "an output from a method of its own": answer(
        "return self.step(self.gate(x))",
        init="self.gate = Gate()",
        top="""
        class Gate(nn.Module):
            def __init__(self):
                super().__init__()
                self.packed = None
            def pack(self):
                if self.packed is None:
                    self.packed = torch.ones(3)
                return self.packed
            def forward(self, x):
                y = torch.empty_like(x)
                lib.f(self.pack(), y, 1)
                return y
        """,
        methods="def step(self, x):\n    y = torch.empty_like(x)\n    lib.f(x, y, 1)\n    return y",
    ),
    "a recurrent state that each call makes anew": answer(
        """
        self.hidden = torch.zeros(x.shape[0], 3)
        y = torch.empty_like(x)
        lib.f(x, self.hidden, 1)
        lib.f(self.hidden, y, 1)
        return y
        """
    ),
    "replacing forward once, in the constructor": answer(
        init="self.forward = self.quick if torch.get_num_threads() > 1 else self.plain",
        methods="""
        def quick(self, x):
            lib.f(x, x, 1)
            return x
        def plain(self, x):
            lib.g(x, x, 1)
            return x
        """,
    ),
    "source from templates": answer(
        "y = torch.empty_like(x)\nself.built.f(x, y, 1)\nreturn y",
        init="self.built = cpp(SOURCE.replace('WIDTH', '8') + ''.join(UNROLLED) + f'static int k = {3};')",
        top="""
        SOURCE = 'extern "C" void f(const float* x, float* y, int64_t n) { int width = WIDTH; }'
        UNROLLED = [f"y[{i}] = x[{i}];" for i in range(4)]
        """,
    ),
    "types are asked": answer("""
        if not isinstance(x, torch.Tensor) or type(x) is not torch.Tensor:
            raise TypeError(f"{self.__class__.__name__} takes tensors, got {type(x).__name__}")
        y = torch.empty_like(x)
        lib.f(x, y, 1)
        return y
    """),
    "messages": answer(
        "log.debug('shape %s', x.shape)\nwarnings.warn('slow', stacklevel=2)\nprint(x.shape)\n"
        "y = torch.empty_like(x)\nlib.f(x, y, 1)\nreturn y",
        top="""
        import logging, sys, warnings
        log = logging.getLogger(__name__)
        me = sys.modules[__name__]
        """,
    ),
    "no gradients": answer("""
        with torch.no_grad():
            y = torch.empty_like(x)
            lib.f(x, y, 1)
        return y
    """),
    "a warm-up in the constructor": answer(init="lib.f(torch.zeros(1), torch.zeros(1), 1)"),
    "a quick generator of its own": answer(
        init="self.generator = torch.Generator()\nself.generator.manual_seed(3)\ntorch.manual_seed(0)"
    ),
    "weights asked for their layout": answer(
        "w = self.linear.weight.t().contiguous()\ny = torch.empty_like(x)\nlib.f(x, w, w.shape[0])\nreturn y",
        init="self.linear = nn.Linear(3, 3)",
    ),
    "a number that comes with the input": answer(
        """
        if n not in self.tables:
            self.tables[n] = n * n
        self.n = n
        y = torch.empty_like(x)
        lib.f(x, y, self.tables[n])
        return y
        """,
        init="self.tables = {}",
    ).replace("def forward(self, x):", "def forward(self, x, n=3):"),
    "the class under another name": answer().replace("ModelNew", "Model") + "\nModelNew = Model\n",
}


@pytest.mark.parametrize("source", PYTHON.values(), ids=PYTHON)
def test_python(source: str):
    assert found(source) == []


CPP = {
    "threads that are joined": native(
        "std::vector<std::thread> all;\nfor (int t = 0; t < 2; ++t) all.emplace_back([=] { y[t] = x[t]; });\n"
        "for (auto& t : all) t.join();",
        includes="#include <thread>\n#include <vector>",
    ),
    "threads of C that are joined": native("pthread_t t; pthread_create(&t, 0, w, y); pthread_join(t, 0);"),
    "joining threads": native("std::jthread a([=] { y[0] = 1; });", includes="#include <thread>"),
    "a task": native("auto one = std::async([=] { y[0] = 1; }); one.get();", includes="#include <future>"),
    "a pool": beside("""
        struct Pool {
            std::vector<std::thread> workers; std::mutex m; std::condition_variable work, done; int left = 0;
            Pool() { for (int i = 0; i < 2; ++i) workers.emplace_back([this] { for (;;) { run(); } }); }
            ~Pool() { for (auto& t : workers) t.join(); }
            void run() { std::unique_lock<std::mutex> l(m); work.wait(l); done.notify_one(); }
        };
        static Pool pool;
    """),
    "a pool that is never taken down": beside("""
        static std::condition_variable work, done;
        static void serve() { for (;;) { std::unique_lock l(m); work.wait(l); run(); done.notify_one(); } }
        static void start() { std::thread(serve).detach(); }
        static void all() { work.notify_all(); std::unique_lock l(m); done.wait(l, [] { return !left; }); }
    """),
    "threads behind pointers": native(
        "auto t = std::make_unique<std::thread>([&] { y[0] = x[0]; }); t->join();"
    ),
    "threads that an algorithm joins": native("""
        std::vector<std::thread> all;
        all.emplace_back([&] { y[0] = x[0]; });
        std::for_each(all.begin(), all.end(), std::mem_fn(&std::thread::join));
    """),
    "OpenMP": native("#pragma omp parallel for simd\nfor (int64_t i = 0; i < n; ++i) y[i] = std::exp(x[i]);"),
    "tables and scratch memory": beside("""
        static const float table[4] = {1, 2, 3, 4};
        static thread_local std::vector<float> scratch;
        static std::unordered_map<const float*, std::vector<float>> packed;
        static bool ready = false;
        static std::once_flag once;
        static int next = 0;
        static float* space() { static float* all = make(4096); return all + 64 * (next++ % 4); }
        static void prepare() { if (ready) return; ready = true; }
    """),
    "a counter that nothing depends on": native("static int64_t calls = 0; ++calls; y[0] = x[0];"),
    "a first time": native("static int calls = 0; if (calls++ == 0) prepare(); y[0] = x[0];"),
    "packed for one address": native("static const float* last; if (last != x) { pack(x); last = x; }"),
    "what the processor has": native('__builtin_cpu_init(); if (__builtin_cpu_supports("avx2")) y[0] = 1;'),
    "intrinsics": native("_mm512_storeu_ps(y, _mm512_sqrt_ps(_mm512_loadu_ps(x)));"),
    "vectors in assembly": native('asm volatile("vaddps %1, %0, %0" : "+x"(a) : "x"(b)); // no syscall'),
    "names of its own": beside("""
        static float signal(float v) { return v; }
        struct Line { void open() {} void connect(int) {} int fork() { return 0; } };
        static void all(Line& l) { l.open(); l.connect(1); l.fork(); signal(2); dsp::system(3); }
        auto kill = [](int v) { return v; };
        static int k = kill(3);
    """),
    "huge pages": native("auto p = mmap(nullptr, n, PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);"),
    "a barrier by futex": native("syscall(SYS_futex, &flag, FUTEX_WAIT, 0, nullptr, nullptr, 0);"),
    "comments": beside("// fork( dlopen( cblas_sgemm( std::ifstream /proc/self/maps\n/* open(\n ptrace( */"),
    "messages": native('if (n < 0) { fprintf(stderr, "n is %ld (no dlopen())\\n", n); abort(); }'),
    "a header that may be there": beside("#if __has_include(<omp.h>)\n#include <omp.h>\n#endif"),
    "a constructor that fills a table": beside(
        "__attribute__((constructor)) static void fill() { t[0] = 1; }"
    ),
    "environment": native('const char* t = getenv("OMP_NUM_THREADS"); y[0] = t ? atoi(t) : 1;'),
    "matrix products of its own": beside("""
        static void sgemm_(const float* a, const float* b, float* c) { c[0] = a[0] * b[0]; }
        static void mkl_like(int n) {}
        template <int N> void gemm_kernel(const float* a) { sgemm_(a, a, nullptr); mkl_like(N); }
    """),
    "clocks for debugging": native("auto t = std::chrono::steady_clock::now(); y[0] = x[0];"),
}
EXTENSIONS = {
    "allocation, views and questions": """
        torch::Tensor f(torch::Tensor x) {
            TORCH_CHECK(x.dim() == 2 && x.is_contiguous(), "bad shape ", x.sizes());
            auto y = torch::empty({x.size(0), x.size(1)}, x.options());
            auto flat = x.contiguous().view({-1}).to(torch::kFloat);
            at::parallel_for(0, y.numel(), 64, [&](int64_t b, int64_t e) { y.data_ptr<float>()[b] = 1; });
            return y.reshape({-1}).transpose(0, 0); }""",
    "vectors of ATen": """
        #include <ATen/cpu/vec/vec.h>
        torch::Tensor f(torch::Tensor x) {
            using Vec = at::vec::Vectorized<float>;
            auto y = torch::empty_like(x);
            Vec::loadu(x.data_ptr<float>()).exp().store(y.data_ptr<float>());
            at::vec::map<float>([](Vec v) { return v.abs(); }, y.data_ptr<float>(), x.data_ptr<float>(), 8);
            return y; }""",
    "an operator of its own": """
        at::Tensor f(const at::Tensor& x) { auto y = at::empty_like(x); return y; }
        TORCH_LIBRARY(mine, m) { m.def("f(Tensor x) -> Tensor"); }
        TORCH_LIBRARY_IMPL(mine, CPU, m) { m.impl("f", f); }""",
    "a static table as a tensor": """
        static torch::Tensor table = torch::empty({3});
        torch::Tensor f(torch::Tensor x) { auto y = torch::empty_like(x); y.copy_(table); return y; }""",
}


@pytest.mark.parametrize("source", CPP.values(), ids=CPP)
def test_cpp(source: str):
    assert found(source) == []


@pytest.mark.parametrize("code", EXTENSIONS.values(), ids=EXTENSIONS)
def test_extensions(code: str):
    assert found(extension(code)) == []
