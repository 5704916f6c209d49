#!/usr/bin/env bash
# From clouds to a trained tokenizer on a Slurm cluster:
#
#     S4TOK_CACHE=/scratch/me/cache TASKS=64 examples/slurm/submit.sh shapenet55 --clip ViT-B-16
#
# What follows the dataset goes to `extract-clip` and to `pretrain`; what every stage should know is said in S4TOK_...
# variables (S4TOK_DATA, S4TOK_CACHE, S4TOK_SPLIT, S4TOK_LIMIT), which sbatch hands on, and what your cluster wants in
# its own (SBATCH_PARTITION, SBATCH_ACCOUNT). Scanned rooms are seen through their own frames, so that none need be
# drawn: BEFORE=superpoints examples/slurm/submit.sh scannet --clip ViT-B-16. GPUS=0 encodes views without a GPU.
# When jobs were lost, run the same line again: it goes on where it stopped.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source=${1:?name a dataset: its folder, or a known name}
shift
array=0-$((${TASKS:-64} - 1))

submit() { sbatch --parsable --kill-on-invalid-dep=yes "$@" | cut -d ';' -f 1; }

before=
for stage in ${BEFORE:-superpoints render-views}; do
    job=$(submit --job-name="$stage" --array="$array" "$here/stage.sbatch" "$stage" "$source")
    before=$before:$job
    echo "$stage: job $job, tasks $array"
done

# Task i encodes the clouds that task i has cut and drawn: every stage deals a dataset alike.
seen=$(submit --job-name=extract-clip --array="$array" --gpus="${GPUS:-1}" --dependency="aftercorr$before" \
    "$here/stage.sbatch" extract-clip "$source" "$@")
echo "extract-clip: job $seen, tasks $array"
packed=$(submit --dependency="afterok:$seen" "$here/pack.sbatch")
echo "pack: job $packed"
trained=$(submit --dependency="afterok:$packed" "$here/pretrain.sbatch" "$source" "$@")
echo "pretrain: job $trained"
