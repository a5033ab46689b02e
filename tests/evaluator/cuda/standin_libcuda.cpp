// A stand-in for libcuda.so.1 over files that processes map: what tests of the judge run on where there is
// no GPU. It is NOT a GPU: nothing is launched, "device memory" is the host's, and a stream is a list of copies
// that fall due. All processes that load it from one folder share one GPU.
//
// Beside functions of the driver there are four that a GPU does not have:
//   standin_later(dst, src, bytes, ms)  a copy that another part of the machine makes in so many ms
//   standin_inject(name, after, code)   the call of `name` after so many others fails with `code`
//   standin_fault(code)                 the current context is broken, as by an illegal address
//   standin_limit(bytes)                how much memory the GPU has

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <mutex>
#include <string>

namespace {

enum { INVALID_VALUE = 1, OUT_OF_MEMORY = 2, INVALID_DEVICE = 101, INVALID_CONTEXT = 201, INVALID_HANDLE = 400,
       ILLEGAL_ADDRESS = 700 };
const int QUEUE = 256, SLICE_MS = 60;
const uint64_t MAGIC = 0x4b4f5354414e4431;

struct Copy {
  std::atomic<int> state;  // 0 free, 1 waiting, 2 being made
  int pid, snapshot;
  uint64_t due_ns, id, owner, offset, bytes;
};
struct World {
  std::atomic<uint64_t> next, limit, snapshots;
  Copy queue[QUEUE];
};
struct Allocation {
  uint64_t id, owner, bytes;
  bool foreign;
  int references;
};
struct Context {
  int sticky = 0;
};
struct Shared {
  uint64_t magic, owner, id, bytes;
};

std::recursive_mutex lock;
std::string folder;
World *world = nullptr;
std::map<uint64_t, Allocation> allocations;
std::map<std::string, std::pair<int, int>> injected;
Context primary;
thread_local Context *current = &primary;

uint64_t now_ns() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000ull + t.tv_nsec;
}
void rest_ns(uint64_t ns) {
  timespec t{(time_t)(ns / 1000000000ull), (long)(ns % 1000000000ull)};
  nanosleep(&t, nullptr);
}
std::string path(uint64_t owner, uint64_t id) {
  return folder + "/mem-" + std::to_string(owner) + "-" + std::to_string(id);
}

int start() {
  if (world) return 0;
  Dl_info here;
  dladdr((void *)&start, &here);
  folder = here.dli_fname;
  folder = folder.substr(0, folder.rfind('/'));
  int fd = open((folder + "/world").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0 || ftruncate(fd, sizeof(World))) return INVALID_DEVICE;
  world = (World *)mmap(nullptr, sizeof(World), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  return 0;
}

// Copies that have fallen due, whoever asked for them.
void progress() {
  for (Copy &copy : world->queue) {
    int waiting = 1;
    if (copy.due_ns > now_ns() || !copy.state.compare_exchange_strong(waiting, 2)) continue;
    std::string from = folder + "/snap-" + std::to_string(copy.snapshot);
    int source = open(from.c_str(), O_RDONLY), target = open(path(copy.owner, copy.id).c_str(), O_RDWR);
    std::string data(copy.bytes, 0);
    if (source >= 0 && target >= 0 && read(source, &data[0], copy.bytes) == (ssize_t)copy.bytes)
      (void)!pwrite(target, data.data(), copy.bytes, copy.offset);
    if (source >= 0) close(source);
    if (target >= 0) close(target);
    unlink(from.c_str());
    copy.state = 0;
  }
}

// When the last copy will be made that this process asked for, or that others did who still live.
uint64_t busy_until(bool own) {
  uint64_t last = 0;
  for (Copy &copy : world->queue) {
    if (copy.state == 1 && kill(copy.pid, 0)) copy.state = 0;
    if (copy.state == 1 && (copy.pid == getpid()) == own && copy.due_ns > last) last = copy.due_ns;
  }
  return last;
}

void wait_for(uint64_t due) {
  uint64_t now = now_ns();
  if (due > now) rest_ns(due - now);
  progress();
}

int enter(const char *name) {
  if (int failed = start()) return failed;
  progress();
  auto found = injected.find(name);
  if (found != injected.end() && found->second.first-- <= 0) {
    int code = found->second.second;
    injected.erase(found);
    if (code == ILLEGAL_ADDRESS) current->sticky = code;  // this one breaks a context for good
    return code;
  }
  return current->sticky;
}

#define ENTER(name)                              \
  std::lock_guard<std::recursive_mutex> guard(lock); \
  if (int failed = enter(name)) return failed

uint64_t used() {
  uint64_t total = 0;
  DIR *all = opendir(folder.c_str());
  while (dirent *entry = readdir(all)) {
    int owner;
    if (sscanf(entry->d_name, "mem-%d-", &owner) != 1) continue;
    std::string name = folder + "/" + entry->d_name;
    struct stat about;
    if (kill(owner, 0)) unlink(name.c_str());
    else if (!stat(name.c_str(), &about)) total += about.st_size;
  }
  closedir(all);
  return total;
}

int map_file(uint64_t owner, uint64_t id, uint64_t bytes, bool fresh, uint64_t *pointer) {
  int fd = open(path(owner, id).c_str(), O_RDWR | O_CLOEXEC | (fresh ? O_CREAT : 0), 0666);
  if (fd < 0) return INVALID_VALUE;
  if (fresh && ftruncate(fd, bytes)) return OUT_OF_MEMORY;
  void *at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (at == MAP_FAILED) return OUT_OF_MEMORY;
  *pointer = (uint64_t)at;
  allocations[*pointer] = {id, owner, bytes, !fresh, 1};
  return 0;
}

std::map<uint64_t, Allocation>::iterator around(uint64_t pointer) {
  auto found = allocations.upper_bound(pointer);
  if (found == allocations.begin()) return allocations.end();
  --found;
  return pointer < found->first + found->second.bytes ? found : allocations.end();
}

bool reaches(uint64_t pointer, uint64_t bytes) {
  auto found = around(pointer);
  return found != allocations.end() && pointer + bytes <= found->first + found->second.bytes;
}

template <class T>
int scale(const uint64_t *v) {
  const uint64_t bytes = v[4] * sizeof(T);
  if (!reaches(v[0], bytes) || !reaches(v[1], bytes) || !reaches(v[2], bytes) || !reaches(v[3], v[9] * sizeof(T)))
    return INVALID_VALUE;
  T *out = (T *)v[0];
  const T *a = (T *)v[1], *b = (T *)v[2], *factors = (T *)v[3];
  for (uint64_t i = 0; i < v[4]; i++) {
    bool second = i < v[5] || (i >= v[6] && i < v[7]);
    out[i] = (second ? b : a)[i] * factors[(v[8] + i) % v[9]];
  }
  return 0;
}

}  // namespace

extern "C" {

struct Handle {
  unsigned char reserved[64];
};

int cuInit(unsigned) { return start(); }
int cuGetErrorName(int code, const char **text) {
  static const std::map<int, const char *> names = {
      {1, "CUDA_ERROR_INVALID_VALUE"},    {2, "CUDA_ERROR_OUT_OF_MEMORY"},
      {201, "CUDA_ERROR_INVALID_CONTEXT"}, {400, "CUDA_ERROR_INVALID_HANDLE"},
      {700, "CUDA_ERROR_ILLEGAL_ADDRESS"}};
  auto found = names.find(code);
  *text = found == names.end() ? nullptr : found->second;
  return *text ? 0 : INVALID_VALUE;
}
int cuGetErrorString(int code, const char **text) { return cuGetErrorName(code, text); }
int cuDeviceGetCount(int *count) { return *count = 1, 0; }
int cuDeviceGet(int *device, int index) { return *device = index, index ? INVALID_DEVICE : 0; }
int cuDeviceGetUuid_v2(unsigned char *uuid, int) { return memset(uuid, 0x5d, 16), 0; }
int cuDeviceTotalMem_v2(size_t *bytes, int) {
  ENTER("cuDeviceTotalMem");
  return *bytes = world->limit ? (size_t)world->limit : (size_t)1 << 30, 0;
}
int cuDeviceGetAttribute(int *value, int which, int) {
  switch (which) {
    case 16: return *value = 4, 0;        // multiprocessors
    case 38: return *value = 1 << 20, 0;  // bytes of L2 cache
    case 75: return *value = 9, 0;        // compute capability
  }
  return *value = 0, 0;
}

int cuCtxCreate_v2(Context **context, unsigned, int) {
  ENTER("cuCtxCreate");
  return current = *context = new Context, 0;
}
int cuCtxDestroy_v2(Context *context) {
  std::lock_guard<std::recursive_mutex> guard(lock);
  if (current == context) current = &primary;
  for (auto at = allocations.begin(); at != allocations.end(); at = allocations.erase(at)) {
    if (!at->second.foreign) unlink(path(at->second.owner, at->second.id).c_str());
    munmap((void *)at->first, at->second.bytes);
  }
  return 0;  // leaked: threads may still name it
}
int cuCtxSetCurrent(Context *context) { return current = context, 0; }
int cuCtxSynchronize() {
  uint64_t due;
  {
    ENTER("cuCtxSynchronize");
    due = busy_until(true);
  }
  return wait_for(due), 0;
}

int cuMemGetInfo_v2(size_t *free, size_t *total) {
  ENTER("cuMemGetInfo");
  *total = world->limit ? (size_t)world->limit : (size_t)1 << 30;
  uint64_t taken = used();
  return *free = *total > taken ? *total - taken : 0, 0;
}
int cuMemAlloc_v2(uint64_t *pointer, size_t bytes) {
  ENTER("cuMemAlloc");
  if (!bytes) return INVALID_VALUE;
  if (used() + bytes > (world->limit ? (uint64_t)world->limit : 1ull << 30)) return OUT_OF_MEMORY;
  return map_file(getpid(), world->next++, bytes, true, pointer);
}
int cuMemFree_v2(uint64_t pointer) {
  ENTER("cuMemFree");
  auto found = allocations.find(pointer);
  if (found == allocations.end() || found->second.foreign) return INVALID_VALUE;
  unlink(path(found->second.owner, found->second.id).c_str());
  munmap((void *)pointer, found->second.bytes);
  allocations.erase(found);
  return 0;
}
int cuMemGetAddressRange_v2(uint64_t *base, size_t *bytes, uint64_t pointer) {
  ENTER("cuMemGetAddressRange");
  auto found = around(pointer);
  if (found == allocations.end()) return INVALID_VALUE;
  return *base = found->first, *bytes = found->second.bytes, 0;
}
int cuPointerGetAttribute(uint64_t *value, int which, uint64_t pointer) {
  ENTER("cuPointerGetAttribute");
  auto found = around(pointer);
  if (found == allocations.end() || which != 7) return INVALID_VALUE;
  return *value = found->second.id + 1, 0;
}
int cuMemHostRegister_v2(void *, size_t, unsigned) {
  ENTER("cuMemHostRegister");
  return 0;
}
int cuMemHostUnregister(void *) {
  ENTER("cuMemHostUnregister");
  return 0;
}

int cuMemcpyHtoD_v2(uint64_t to, const void *from, size_t bytes) {
  ENTER("cuMemcpyHtoD");
  if (!reaches(to, bytes)) return INVALID_VALUE;
  return memcpy((void *)to, from, bytes), 0;
}
int cuMemcpyDtoH_v2(void *to, uint64_t from, size_t bytes) {
  ENTER("cuMemcpyDtoH");
  if (!reaches(from, bytes)) return INVALID_VALUE;
  return memcpy(to, (void *)from, bytes), 0;
}
int cuMemcpyDtoD_v2(uint64_t to, uint64_t from, size_t bytes) {
  ENTER("cuMemcpyDtoD");
  if (!reaches(to, bytes) || !reaches(from, bytes)) return INVALID_VALUE;
  return memcpy((void *)to, (void *)from, bytes), 0;
}
int cuMemsetD8_v2(uint64_t to, unsigned char value, size_t bytes) {
  uint64_t others;
  {
    ENTER("cuMemsetD8");
    if (!reaches(to, bytes)) return INVALID_VALUE;
    memset((void *)to, value, bytes);
    others = busy_until(false);
  }
  // Another process's work shares the GPU by time: ours waits for its turn, and spins as it does.
  uint64_t turn = now_ns() + SLICE_MS * 1000000ull;
  if (others > turn) others = turn;
  while (now_ns() < others) continue;
  return progress(), 0;
}

int cuIpcGetMemHandle(Handle *handle, uint64_t pointer) {
  ENTER("cuIpcGetMemHandle");
  auto found = around(pointer);
  if (found == allocations.end() || found->second.foreign) return INVALID_VALUE;
  memset(handle, 0, sizeof *handle);
  Shared shared{MAGIC, found->second.owner, found->second.id, found->second.bytes};
  return memcpy(handle, &shared, sizeof shared), 0;
}
int cuIpcOpenMemHandle_v2(uint64_t *pointer, Handle handle, unsigned) {
  ENTER("cuIpcOpenMemHandle");
  Shared shared;
  memcpy(&shared, &handle, sizeof shared);
  if (shared.magic != MAGIC) return INVALID_VALUE;
  if (shared.owner == (uint64_t)getpid()) return INVALID_CONTEXT;
  for (auto &one : allocations)
    if (one.second.foreign && one.second.owner == shared.owner && one.second.id == shared.id) {
      one.second.references++;
      return *pointer = one.first, 0;
    }
  struct stat about;
  if (stat(path(shared.owner, shared.id).c_str(), &about)) return INVALID_VALUE;
  return map_file(shared.owner, shared.id, about.st_size, false, pointer);
}
int cuIpcCloseMemHandle(uint64_t pointer) {
  ENTER("cuIpcCloseMemHandle");
  auto found = allocations.find(pointer);
  if (found == allocations.end() || !found->second.foreign) return INVALID_VALUE;
  if (--found->second.references) return 0;
  munmap((void *)pointer, found->second.bytes);
  allocations.erase(found);
  return 0;
}

int cuEventCreate(uint64_t **event, unsigned) {
  ENTER("cuEventCreate");
  return *event = new uint64_t(0), 0;
}
int cuEventDestroy_v2(uint64_t *event) { return delete event, 0; }
int cuEventRecord(uint64_t *event, void *) {
  ENTER("cuEventRecord");
  uint64_t due = busy_until(true), now = now_ns();
  return *event = due > now ? due : now, 0;
}
int cuEventSynchronize(uint64_t *event) { return wait_for(*event), 0; }
int cuEventElapsedTime(float *ms, uint64_t *began, uint64_t *ended) {
  ENTER("cuEventElapsedTime");
  return *ms = (*ended - *began) / 1e6f, 0;
}

// Modules are not looked into: the one kernel that the judge has is done here, by its name.
int cuModuleLoadData(void **module, const void *image) {
  ENTER("cuModuleLoadData");
  if (memcmp(image, "\x7f" "ELF", 4)) return INVALID_VALUE;
  return *module = (void *)1, 0;
}
int cuModuleGetFunction(void **function, void *, const char *name) {
  ENTER("cuModuleGetFunction");
  return *function = strdup(name), 0;
}
int cuLaunchKernel(void *function, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void *,
                   void **parameters, void **) {
  ENTER("cuLaunchKernel");
  uint64_t v[10];
  for (int i = 0; i < 10; i++) v[i] = *(uint64_t *)parameters[i];
  std::string name = (const char *)function;
  if (name == "scale_float32") return scale<float>(v);
  return name == "scale_float64" ? scale<double>(v) : INVALID_HANDLE;
}

int standin_later(uint64_t to, uint64_t from, size_t bytes, double ms) {
  ENTER("standin_later");
  auto found = around(to);
  if (!reaches(to, bytes)) return INVALID_VALUE;
  for (Copy &copy : world->queue) {
    int free = 0;
    if (!copy.state.compare_exchange_strong(free, 2)) continue;
    copy.snapshot = (int)world->snapshots++;
    int fd = open((folder + "/snap-" + std::to_string(copy.snapshot)).c_str(), O_WRONLY | O_CREAT, 0666);
    bool kept = write(fd, (void *)from, bytes) == (ssize_t)bytes;
    close(fd);
    copy.pid = getpid();
    copy.due_ns = now_ns() + (uint64_t)(ms * 1e6);
    copy.owner = found->second.owner, copy.id = found->second.id;
    copy.offset = to - found->first, copy.bytes = bytes;
    copy.state = kept ? 1 : 0;
    return 0;
  }
  return OUT_OF_MEMORY;
}
void standin_inject(const char *name, int after, int code) {
  std::lock_guard<std::recursive_mutex> guard(lock);
  injected[name] = {after, code};
}
void standin_fault(int code) { current->sticky = code; }
void standin_limit(uint64_t bytes) {
  start();
  world->limit = bytes;
}
}
