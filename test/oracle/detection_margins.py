"""How far a detector's decisions are from going the other way, from torchvision's own values in float64.

A golden whose decisions are nearer than float32's noise (about 1e-6 of a value) would test luck.
"""

import torch
from torch.nn import functional as F
from torchvision.ops import boxes as box_ops


def least(values):
    return float(values.min()) if len(values) else float("inf")


def cut(scores, keep):
    """Between the last that is kept and the first that is not."""
    ordered = scores.sort(descending=True).values
    return float(ordered[keep - 1] - ordered[keep]) if len(ordered) > keep else float("inf")


def suppress(boxes, scores, threshold):
    """Greedy suppression: the kept rows, best first, and the nearest that an overlap that decides came to the threshold."""
    order = scores.sort(descending=True).indices
    ious, nearest, kept = box_ops.box_iou(boxes[order], boxes[order]), float("inf"), []
    alive = torch.ones(len(order), dtype=torch.bool)
    for i in range(len(order)):
        if alive[i]:
            later = alive.clone()
            later[: i + 1] = False
            nearest = min(nearest, least((ious[i][later] - threshold).abs()))
            alive &= ~(later & (ious[i] > threshold))
            kept.append(i)
    return order[kept], nearest


def proposals(rpn, levels, size):
    """Of one image. levels: logits [L] and decoded boxes [L, 4] of each. Of score: between neighbours at the cuts."""
    margins = dict(rpn_top=float("inf"), rpn_iou=float("inf"))
    kept_scores = []
    for logits, boxes in levels:
        top = min(rpn.pre_nms_top_n(), len(logits))
        margins["rpn_top"] = min(margins["rpn_top"], cut(logits, top))
        scores, rows = logits.topk(top)
        clipped = box_ops.clip_boxes_to_image(boxes[rows], size)
        large = box_ops.remove_small_boxes(clipped, rpn.min_size)
        kept, nearest = suppress(clipped[large], scores[large], rpn.nms_thresh)
        margins["rpn_iou"] = min(margins["rpn_iou"], nearest)
        kept_scores.append(scores[large][kept])
    margins["rpn_keep"] = cut(torch.sigmoid(torch.cat(kept_scores)), rpn.post_nms_top_n())
    return margins


def levels(mapper, boxes):
    """Of the logarithm by which a region chooses its level, to the next whole number between two levels."""
    exact = mapper.lvl0 + torch.log2(torch.sqrt(box_ops.box_area(boxes)) / mapper.s0) + mapper.eps
    borders = torch.arange(mapper.k_min + 1, mapper.k_max + 1)
    return dict(level=least((exact[:, None] - borders).abs().flatten()))


def detections(heads, logits, deltas, regions, size):
    """Of one image: logits [R, K], deltas [R, 4K], regions [R, 4]."""
    scores = F.softmax(logits, -1)[:, 1:]
    boxes = heads.box_coder.decode(deltas, [regions]).reshape(*logits.shape, 4)
    boxes = box_ops.clip_boxes_to_image(boxes, size)[:, 1:]
    margins = dict(score=least((scores - heads.score_thresh).abs().flatten()), class_iou=float("inf"))
    candidates, kept_scores = 0, []
    for k in range(scores.shape[1]):
        rows = torch.where(scores[:, k] > heads.score_thresh)[0]
        rows = rows[box_ops.remove_small_boxes(boxes[rows, k], 1e-2)]
        kept, nearest = suppress(boxes[rows, k], scores[rows, k], heads.nms_thresh)
        margins["class_iou"] = min(margins["class_iou"], nearest)
        candidates += len(rows)
        kept_scores.append(scores[rows, k][kept])
    kept = torch.cat(kept_scores).sort(descending=True).values
    margins["keep"] = cut(kept, heads.detections_per_img)
    best = kept[: heads.detections_per_img]
    margins["order"] = least(best[:-1] - best[1:])
    return margins, dict(candidates=candidates, suppressed=candidates - len(kept))
