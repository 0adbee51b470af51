// Reads a code with the camera where the browser can (BarcodeDetector); elsewhere the button stays hidden.
"use strict";

const button = document.getElementById("scan");
const camera = document.getElementById("camera");
const input = document.getElementById("code");
const message = document.getElementById("scan-message");
const LOOK_EVERY_MS = 200;

if (button && "BarcodeDetector" in window && navigator.mediaDevices) {
  button.hidden = false;
  button.addEventListener("click", () => (camera.hidden ? scan() : stop()));
}
if (input && input.value) {
  input.select();
}

async function scan() {
  try {
    camera.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    camera.hidden = false;
    await camera.play();
  } catch {
    message.textContent = button.dataset.failed;
    message.hidden = false;
    stop();
    return;
  }
  const detector = new BarcodeDetector();
  while (!camera.hidden) {
    const found = await detector.detect(camera).catch(() => []);
    if (found.length > 0) {
      stop();
      input.value = found[0].rawValue.trim();
      input.form.requestSubmit();
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

function stop() {
  camera.hidden = true;
  if (camera.srcObject) {
    camera.srcObject.getTracks().forEach((track) => track.stop());
    camera.srcObject = null;
  }
}
