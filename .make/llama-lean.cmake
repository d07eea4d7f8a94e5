# Included by CMake when llama-cpp-python is built: the Python bindings use neither llama.cpp's "common"
# library nor the tools that need it, and leaving it out more than halves the number of files to compile.
set(LLAMA_BUILD_COMMON OFF CACHE BOOL "not needed by the Python bindings" FORCE)
